"""A writer reads the files of words when it is made, and never while a request waits."""

from pathlib import Path

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.reasons import ReasonWriter, attribute_form, is_vague
from recsvc.reasons.seller_text import word_lists
from tests.recsvc.reasons.reason_samples import CUP, MUG, evidence_for


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_written_without_reading_a_file(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    for name in ("read_sections", "forbidden_terms", "sensitive_terms", "negations", "_names"):
        getattr(word_lists, name).cache_clear()
    writer = ReasonWriter()

    def read_text(path: Path, *_: object, **__: object) -> str:
        raise AssertionError(f"{path} is read while a request waits")

    monkeypatch.setattr(Path, "read_text", read_text)
    evidence = evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, anchor=CUP)
    unseen = Item("new", "Copper Pan", categories=("Kitchen", "Pans"), attributes=(("a new name", "red"),))
    for tone in Tone:
        assert writer.write_page([(MUG, (evidence,)), (unseen, (evidence,))], language, 0, tone)[0] is not None
    assert attribute_form("a name that nobody asked for") is None
    assert not is_vague("Copper Pans")
