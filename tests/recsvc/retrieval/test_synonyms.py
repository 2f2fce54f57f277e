"""The synonyms file: one group a line, or one error that names the line."""

from pathlib import Path

import pytest

from recsvc.errors import SettingsError
from recsvc.retrieval import synonyms
from recsvc.retrieval.synonyms import read_synonyms, synonyms_of


def test_groups_are_read_without_comments_and_empty_lines(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text("# furniture\n\nSofa, couch , Settee\n沙发,长椅\n", encoding="utf-8")
    assert read_synonyms(file) == (("sofa", "couch", "settee"), ("沙发", "长椅"))
    assert read_synonyms(None) == ()


@pytest.mark.parametrize("line", ["sofa", "sofa,", "sofa, , couch", "sofa, Sofa"])
def test_a_line_that_is_no_group_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(f"cup, mug\n{line}\n")
    with pytest.raises(SettingsError, match="line 2: must have two or more"):
        read_synonyms(file)


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_synonyms(tmp_path / "missing.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9, coffee")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_synonyms(tmp_path / "latin.txt")


@pytest.mark.parametrize(
    ("name", "synonyms"),
    [
        ("Sofas", ("couch", "settee", "divan")),  # of both groups, once
        ("sofa", ("couch", "settee", "divan")),
        ("settees", ("sofa", "couch", "divan")),
        ("沙发", ("长椅",)),
        ("Sofa Covers", ()),
        ("", ()),
    ],
)
def test_synonyms_of_a_name_are_the_other_expressions_of_its_groups(name: str, synonyms: tuple[str, ...]) -> None:
    groups = (("sofa", "couch", "settee"), ("sofa", "settee", "divan"), ("沙发", "长椅"))
    assert set(synonyms_of(name, groups)) == set(synonyms)


def test_group_and_file_of_too_many_expressions_are_one_error_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(",".join(f"word {n}" for n in range(synonyms.MAX_IN_A_GROUP + 1)))
    with pytest.raises(SettingsError, match="line 1: has more than 50"):
        read_synonyms(file)
    monkeypatch.setattr(synonyms, "MAX_EXPRESSIONS", 3)
    file.write_text("cup,mug\nsofa,couch\n")
    with pytest.raises(SettingsError, match="has more than 3 words"):
        read_synonyms(file)
