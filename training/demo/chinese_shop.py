"""The demo's second shop, in Chinese. It is there to be searched, so its training is short."""

from rich.console import Console

from training.config import TrainConfig
from training.data.shop import Shop, read_shop
from training.demo.shop import FOLDER as DEMO_FOLDER
from training.demo.shop import train_if_changed
from training.synthetic.shop import make_shop, write_shop

FOLDER = DEMO_FOLDER / "chinese"
DATA = FOLDER / "shop"
BUNDLE = FOLDER / "bundles" / "latest"
REDIS, LOG = FOLDER / "redis", FOLDER / "service.log"

ITEMS, USERS, SEED = 1_000, 600, 7
# A search ranks by the text encoder's frozen vectors and by words. The rest of the model is a tie-break there.
CONFIG = TrainConfig(
    sequence_dim=0,
    text_epochs=2,
    factors=16,
    features_lexical_dim=256,
    features=512,
    batch_events=1_024,
    tuning_users=200,
    evaluation_users=200,
    refit="none",
)


def chinese_shop(console: Console) -> Shop:
    """Makes the shop, always the same, and trains its bundle if anything changed."""
    made = make_shop(ITEMS, USERS, SEED, language="zh")
    write_shop(made, DATA)
    shop = read_shop(DATA)
    train_if_changed(shop, DATA, BUNDLE, CONFIG, console)
    return shop
