"""The synonyms file: one group a line, or one error that names the line."""

from pathlib import Path

import pytest

from recsvc.errors import SettingsError
from recsvc.retrieval.synonyms import read_synonyms


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
