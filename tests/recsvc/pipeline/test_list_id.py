"""The id of a list names its origin, and anything else is no origin."""

import pytest

from recsvc.pipeline.list_id import ListOrigin, origin_of, recommendation_id


@pytest.mark.parametrize("origin", [("home", "control", "0123456789abcdef"), ("", "", "b1")])
def test_an_id_names_what_made_the_list(origin: tuple[str, str, str]) -> None:
    assert origin_of(recommendation_id(*origin)) == ListOrigin(*origin)


def test_two_ids_of_one_origin_differ() -> None:
    assert recommendation_id("home", "a", "b") != recommendation_id("home", "a", "b")


@pytest.mark.parametrize("text", ["", "list-1", "home.control.b1", "a.b.c.d.e"])
def test_an_id_of_another_form_has_no_origin(text: str) -> None:
    assert origin_of(text) is None
