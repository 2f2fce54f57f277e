"""The settings that the rooms below the server read, in one frozen record."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingConfig:
    """What one server process serves, and how. `recsvc.settings` documents and checks each value.

    Attributes:
        bundle: Folder of the bundle that answers first. Its parent folder holds the others.
        text_encoder: Name or folder of the text encoder; "auto" for the one that the bundle names.
        placements: TOML file of placements and segments; None for none.
        synonyms: File of expressions that a search takes for each other; None for none.
        log_searches: True: the text of each search is kept with its list, and exported for `training.report_searches`.
        cache_size: How many users' states a process keeps.
        unknown_is_private: True: no reason uses what users did with items that have no category.
        reason_pronoun: How Chinese reasons and copy address the shopper: 您 or 你.
        reason_generator: "realiser" for the phrase bank alone, else the kind of language model of the reason worker.
        reason_model: Name or folder of that language model.
        reason_revision: Its revision.
    """

    bundle: Path
    text_encoder: str = "auto"
    placements: Path | None = None
    synonyms: Path | None = None
    log_searches: bool = False
    cache_size: int = 10_000
    unknown_is_private: bool = False
    reason_pronoun: str = "您"
    reason_generator: str = "realiser"
    reason_model: str = ""
    reason_revision: str = ""
