"""The demo's shop and its bundle: made once, and again only when what makes them has changed."""

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
# Quick and still good: few epochs of many small steps. The last days are held back to measure what was learned, and
# then learned as well ("all"). In 90 days enough people buy the best sellers of so small a shop to say so.
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
    """Makes the shop's three tables, the same each time, and reads them as any shop's."""
    shop = make_shop(ITEMS, USERS, SEED)
    write_shop(shop, DATA)
    console.print(describe_shop(shop), highlight=False, markup=False)
    return read_shop(DATA)


def demo_bundle(shop: Shop, console: Console) -> bool:
    """Trains `BUNDLE`, unless it is there and up to date. Says whether it trained."""
    if _up_to_date(shop):
        return False
    train(DATA, BUNDLES, CONFIG, console)
    return True


def _up_to_date(shop: Shop) -> bool:
    """As `make` would have it: the bundle is of this data and configuration, and no newer code could make another."""
    try:
        manifest = read_manifest(BUNDLE)
    except BundleError:
        return False
    wanted, trained = asdict(CONFIG), dict(manifest.get("training") or {})
    # Training drops a block that adds nothing, and then its width is 0: the same configuration would do so again.
    trained |= {name: wanted[name] for name in WIDTHS.values() if trained.get(name) == 0}
    if trained != wanted or manifest.get("data", {}).get("fingerprint") != shop.fingerprint:
        return False
    made = (BUNDLE / "manifest.json").stat().st_mtime
    return made > max(source.stat().st_mtime for source in _sources())


def _sources() -> Iterable[Path]:
    """The files that training runs, by its imports."""
    code = CodeGraph.of_packages(*PACKAGES)
    return filter(None, map(code.source, code.modules("training.train")))
