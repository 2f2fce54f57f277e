"""The concise tone, for narrow tiles: how wide a sentence and a name in it may be."""

import functools

from recsvc.domain.reason import Tone
from recsvc.reasons.grammar.pattern import SLOT
from recsvc.reasons.seller_text.names import MAX_WIDTH, display_width

SENTENCE_WIDTH = 40  # columns of a whole sentence; a Chinese character takes two
NAME_WIDTH = 18  # columns of an item's name in it: what "Because you bought" leaves
_LEAST_SLOT_WIDTH = 2  # columns of the shortest value


def name_width(tone: Tone) -> int:
    """Columns that an item's name may take in a sentence of a tone."""
    return NAME_WIDTH if tone is Tone.CONCISE else MAX_WIDTH


def fits(text: str, tone: Tone) -> bool:
    """Whether a sentence is short enough for a tone."""
    return tone is not Tone.CONCISE or _is_narrow(text)


@functools.lru_cache(maxsize=20_000)
def _is_narrow(text: str) -> bool:
    return display_width(text) <= SENTENCE_WIDTH


def may_fit(pattern: str) -> bool:
    """Whether a pattern can be a concise sentence once its slots are filled with short values."""
    words = display_width(SLOT.sub("", pattern))
    return words + _LEAST_SLOT_WIDTH * len(SLOT.findall(pattern)) <= SENTENCE_WIDTH
