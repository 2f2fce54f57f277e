"""docs/reason-samples.md is as docs/make_reason_samples.py writes it, with thirty sentences a shop and language."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs/reason-samples.md"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/make_reason_samples.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("make_reason_samples", ROOT / "docs/make_reason_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_committed_page_has_thirty_sentences_a_table(generator: ModuleType) -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert text.startswith(generator.INTRODUCTION)
    tables = re.split(r"(?m)^### .*$", text)[1:]
    assert len(tables) >= 6
    for table in tables:
        assert len(re.findall(r"(?m)^\| ", table)) == 1 + 30  # a heading


def test_each_language_of_a_shop_has_a_table_and_titles_are_plain_words(generator: ModuleType, tmp_path: Path) -> None:
    samples = {"en": "You bought this.", "zh": "您买过这件商品。"}
    for name, languages in (("a", ("en",)), ("b", ("en", "zh"))):
        picked = {language: {"picked": [{"item": "a|b *c*\n d", "text": samples[language]}]} for language in languages}
        (tmp_path / f"{name}.json").write_text(json.dumps({"languages": picked}), encoding="utf-8")
    out = tmp_path / "page.md"
    shops = [argument for name in "ab" for argument in ("--shop", f"Shop {name}", str(tmp_path / f"{name}.json"))]
    assert generator.main([*shops, "--out", str(out)]) == 0
    lines = [line for line in out.read_text(encoding="utf-8").splitlines() if line.startswith(("##", "| a"))]
    assert lines == [
        "## English",
        "### Shop a",
        r"| a\|b \*c\* d | You bought this. |",
        "### Shop b",
        r"| a\|b \*c\* d | You bought this. |",
        "## Chinese",
        "### Shop b",
        r"| a\|b \*c\* d | 您买过这件商品。 |",
    ]
