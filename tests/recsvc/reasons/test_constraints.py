"""The fields that have an endpoint hold its model to some sentences."""

import re

import pytest

from recsvc.reasons.authors.constraints import Extensions, JsonSchema, gbnf

SENTENCES = (
    "You bought [[item]].",
    "You bought [[item]] before.",
    "You viewed it.",
    'Say "so" \\ now.',
    "您买过[[item]]。",
)


def as_regex(grammar: str) -> str:
    """A regular expression for a grammar that has literals, alternatives and brackets alone."""
    body = grammar.removeprefix("root ::= ")
    tokens = re.findall(r'"((?:[^"\\]|\\.)*)"|([()|])', body)
    return "".join(mark or re.escape(re.sub(r"\\(.)", r"\1", literal)) for literal, mark in tokens)


@pytest.mark.parametrize("sentences", [SENTENCES, SENTENCES[:1], (*SENTENCES, "You", "You bought [[item]]")])
def test_grammar_has_the_sentences_and_no_others(sentences: tuple[str, ...]) -> None:
    pattern = as_regex(gbnf(sentences))
    assert all(re.fullmatch(pattern, sentence) for sentence in sentences)
    for sentence in sentences:
        for other in (sentence[:-1], sentence + ".", sentence.replace("o", "e"), ""):
            assert (re.fullmatch(pattern, other) is not None) is (other in sentences)


def test_sentences_with_the_same_beginning_share_it() -> None:
    assert gbnf(["You bought it.", "You bought them."]) == 'root ::= "You bought " ("it." | "them.")'


def test_answer_in_json_is_unwrapped_and_anything_else_stays() -> None:
    schema = JsonSchema()
    assert schema.answer('{"sentence": "You viewed it."}') == "You viewed it."
    for odd in ("You viewed it.", "[1]", '{"sentence": 3}', '{"other": "x"}', "3", "null", "[" * 100_000):
        assert schema.answer(odd) == odd
    (enum,) = [schema.fields(SENTENCES)["response_format"]["json_schema"]["schema"]["properties"]["sentence"]["enum"]]
    assert enum == list(SENTENCES)


def test_extensions_name_the_sentences_for_each_server() -> None:
    fields = Extensions().fields(SENTENCES)
    assert fields["structured_outputs"]["choice"] == fields["guided_choice"] == list(SENTENCES)
    assert fields["grammar"].startswith("root ::= ")
