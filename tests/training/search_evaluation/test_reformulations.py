"""Synonyms are suggested from searches that people gave up, in the format that the service reads."""

from pathlib import Path

from recsvc.retrieval.synonyms import read_synonyms
from tests.training.search_evaluation.logged_searches import SearchLog
from training.search_evaluation.exported_searches import read_exported_searches
from training.search_evaluation.reformulations import Suggestion, suggestions, synonyms_line


def turn(log: SearchLog, people: range, query: str, then: str, minutes: float = 1, *, opened: bool = True) -> None:
    for n in people:
        log.search(f"u{n}", query, 100 * n)
        later = log.search(f"u{n}", then, 100 * n + minutes)
        if opened:
            log.open(later)


def suggested(log: SearchLog, folder: Path, synonyms: tuple[tuple[str, ...], ...] = ()) -> list[Suggestion]:
    return suggestions(read_exported_searches(log.write(folder), 24), 5, 5, synonyms)


def lines(log: SearchLog, folder: Path, synonyms: tuple[tuple[str, ...], ...] = ()) -> list[str]:
    return [suggestion.line for suggestion in suggested(log, folder, synonyms)]


def test_pair_needs_enough_people_soon_enough_who_opened_the_second_query(tmp_path: Path):
    log = SearchLog()
    turn(log, range(5), "couch", "sofa")
    turn(log, range(10, 14), "settee", "sofa")  # four people
    turn(log, range(20, 30), "bivvy", "sleeping bag", minutes=6)
    turn(log, range(30, 40), "jumper", "pullover", opened=False)
    turn(log, range(40, 50), "tents", "tent")  # the same terms
    for n in range(20):  # one person, many times
        turn(log, range(60, 61), "torch", f"lamp{n % 2}")
    assert lines(log, tmp_path) == ["sofa, couch"]


def test_first_search_that_was_opened_is_the_one_turned_to(tmp_path: Path):
    log = SearchLog()
    for n in range(5):
        log.search(f"u{n}", "cafetiere", 0)
        log.search(f"u{n}", "coffee jug", 1)
        log.open(log.search(f"u{n}", "french press", 2))
        log.open(log.search(f"u{n}", "mug", 3))
    assert lines(log, tmp_path) == ["french press, cafetiere", "french press, coffee jug"]


def test_query_that_people_open_anyway_is_not_suggested(tmp_path: Path):
    log = SearchLog()
    turn(log, range(10), "mug", "christmas tree")
    for n in range(10, 30):
        turn(log, range(n, n + 1), "mug", f"thing {n}")
    for n in range(100, 140):
        log.open(log.search(f"u{n}", "christmas tree" if n < 120 else "rug"))
    turn(log, range(30, 40), "couch", "sofa")
    assert lines(log, tmp_path) == ["sofa, couch"]


def test_present_synonyms_are_not_suggested_again(tmp_path: Path):
    log = SearchLog()
    turn(log, range(5), "couch", "sofa")
    assert lines(log, tmp_path / "a", (("settee", "sofa", "couch"),)) == []
    assert lines(log, tmp_path / "b", (("sofa", "settee"),)) == ["sofa, couch"]


def test_line_is_one_group_whatever_the_queries_hold(tmp_path: Path):
    assert synonyms_line("tent, small", "# 1 tent") == "tent small, 1 tent"
    assert synonyms_line("#1 tent", "tent,,big") == "1 tent, tent big"
    assert synonyms_line("tent,", "tent") is None
    assert synonyms_line(",", "tent") is None
    file = tmp_path / "synonyms.txt"
    file.write_text(f"{synonyms_line('#1 tent', '小,帐篷')}\n", "utf-8")
    assert read_synonyms(file) == (("1 tent", "小 帐篷"),)
