"""The demo's shop and its bundle. The bundle is trained again only if the data, the settings or the code changed."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from recsvc.errors import BundleError
from recsvc.model.bundle_files import read_manifest
from training.config import TrainConfig
from training.data.shop import Shop, read_shop
from training.fitting.experiment import WIDTHS
from training.fitting.stage_code import PACKAGES, CodeGraph
from training.synthetic.shop import describe_shop, make_shop, write_shop
from training.train import train

FOLDER = Path("var/demo")
DATA = FOLDER / "shop"
BUNDLES = FOLDER / "bundles"
BUNDLE = BUNDLES / "latest"

ITEMS, USERS, SEED = 1_000, 2_400, 7
# Fast and still good: few epochs of many small steps. The last days are held out to measure the model, which is then
# trained on them too ("all"). In a shop this small, it takes 90 days until enough people have bought the best sellers
# to mention their number in a reason.
CONFIG = TrainConfig(
    sequence_dim=64,
    sequence_epochs=6,
    text_epochs=5,
    features_lexical_dim=256,
    features=512,
    batch_events=1_024,
    tuning_users=600,
    popularity_days=90,
    refit="all",
)


def demo_shop(console: Console) -> Shop:
    """Makes the shop's three tables, always the same, and reads them like those of any shop."""
    shop = make_shop(ITEMS, USERS, SEED)
    write_shop(shop, DATA)
    console.print(describe_shop(shop), highlight=False, markup=False)
    return read_shop(DATA)


def demo_bundle(shop: Shop, console: Console) -> bool:
    """Trains `BUNDLE`, unless it is up to date. Returns whether it trained."""
    return train_if_changed(shop, DATA, BUNDLE, CONFIG, console)


def train_if_changed(shop: Shop, data: Path, bundle: Path, config: TrainConfig, console: Console) -> bool:
    """Trains a bundle, unless it is up to date.

    Args:
        shop: The shop as it was read.
        data: Its folder.
        bundle: The link "latest" in the folder of bundles.
        config: The settings.
        console: Shows the progress.

    Returns:
        Whether it trained.
    """
    if _up_to_date(shop, bundle, config):
        return False
    train(data, bundle.parent, config, console)
    return True


def _up_to_date(shop: Shop, bundle: Path, config: TrainConfig) -> bool:
    """Whether the bundle has this data and these settings, and is newer than all code that made it."""
    try:
        manifest = read_manifest(bundle)
    except BundleError:
        return False
    settings, trained = asdict(config), dict(manifest.get("training") or {})
    # A width of 0 means that training dropped the block, because it added nothing. It would drop it again.
    trained |= {name: settings[name] for name in WIDTHS.values() if trained.get(name) == 0}
    if trained != settings or manifest.get("data", {}).get("fingerprint") != shop.fingerprint:
        return False
    made = (bundle / "manifest.json").stat().st_mtime
    return made > max(source.stat().st_mtime for source in _sources())


def _sources() -> Iterable[Path]:
    """The source files that training imports, directly or not."""
    code = CodeGraph.of_packages(*PACKAGES)
    return filter(None, map(code.source, code.modules("training.train")))
