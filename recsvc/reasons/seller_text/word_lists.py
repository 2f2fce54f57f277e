"""Reads the policy's word lists, `policy/*.txt`, and finds their terms in untrusted text."""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import NamedTuple

MAX_TEXT = 2_000  # characters of a text that are searched; limits the work that a seller's title can cause

_POLICY = files("recsvc.reasons") / "policy"
RECIPES = files("recsvc.reasons") / "recipes"
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+|[%#$]")
_NOT_LETTERS = re.compile(r"[\W_]+")
_MAYBE_INVISIBLE = re.compile(r"[^ -~\u4e00-\u9fff]")  # all but the usual Latin and Chinese characters
_MIN_PLURAL_LENGTH = 4  # letters of a word whose final s is taken as a plural


class Line(NamedTuple):
    """A line of a policy file.

    Attributes:
        heading: The heading that it stands under; '' before the first one.
        number: Its number in the file, from 1.
        text: The line itself.
    """

    heading: str
    number: int
    text: str


@functools.cache
def numbered_lines(name: str) -> tuple[Line, ...]:
    """The lines of `policy/<name>.txt` with their headings.

    A line that starts with '# ' is a comment. A line in square brackets is a heading.
    """
    lines: list[Line] = []
    heading = ""
    for number, raw in enumerate((_POLICY / f"{name}.txt").read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line == "#" or line.startswith("# "):
            continue
        if line.startswith("[") and line.endswith("]"):
            heading = line[1:-1]
        else:
            lines.append(Line(heading, number, line))
    return tuple(lines)


@functools.cache
def read_sections(name: str) -> Mapping[str, tuple[str, ...]]:
    """The lines of `policy/<name>.txt` by heading; lines before the first heading are under ''."""
    sections: dict[str, list[str]] = {}
    for line in numbered_lines(name):
        sections.setdefault(line.heading, []).append(line.text)
    return {heading: tuple(texts) for heading, texts in sections.items()}


def read_all_sections() -> None:
    """Reads every policy file, so that no request waits for a disk."""
    for file in _POLICY.iterdir():
        if file.name.endswith(".txt"):
            read_sections(file.name.removesuffix(".txt"))


def policy_digest() -> str:
    """Ten hex digits that change with any byte of any policy file or recipe."""
    digest = hashlib.sha256()
    for file in sorted((*_POLICY.iterdir(), *RECIPES.iterdir()), key=lambda file: file.name):
        if file.name.endswith((".txt", ".toml")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:10]


def fold(text: str) -> str:
    """Normalises a text for the search: no compatibility forms, capitals, accents or invisible characters."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).casefold().replace("’", "'")
    return _MAYBE_INVISIBLE.sub(lambda c: "" if unicodedata.category(c[0]) in ("Mn", "Cf", "Cc") else c[0], folded)


def _words(folded: str) -> list[str]:
    # A crude singular, applied to terms and texts alike: it can only make the search find more.
    return [
        word[:-1] if len(word) >= _MIN_PLURAL_LENGTH and word[-1] == "s" else word for word in _WORD.findall(folded)
    ]


def folded_words(text: str) -> tuple[str, list[str]]:
    """A text as `fold` normalises it, and its Latin words and numbers, in the singular."""
    folded = fold(text)
    return folded, _words(folded)


class TermList:
    """Terms to find in a text.

    Latin terms match whole words. Other terms match anywhere, and spaces and punctuation are ignored: Chinese has no
    spaces, and inserted ones are a trick to hide a term.

    Args:
        terms: The terms to find.
        permitted: Words without spaces in which a term does not count.
    """

    def __init__(self, terms: Iterable[str], permitted: Iterable[str] = ()) -> None:
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        dense: list[str] = []
        for term in terms:
            folded = fold(term)
            if folded.isascii():
                words = tuple(_words(folded))
                self._phrases.setdefault(words[0], []).append(words)
            else:
                dense.append(_NOT_LETTERS.sub("", folded))
        self._dense = re.compile("|".join(map(re.escape, dense))) if dense else None
        self._permitted = tuple(permitted)

    def find(self, text: str) -> str | None:
        """The first term in the first `MAX_TEXT` characters of a text, folded; None if there is none."""
        folded = fold(text)
        words = _words(folded)
        for at, word in enumerate(words):
            for phrase in self._phrases.get(word, ()):
                if len(phrase) == 1 or tuple(words[at : at + len(phrase)]) == phrase:
                    return " ".join(phrase)
        if self._dense is not None and not folded.isascii():
            letters = _NOT_LETTERS.sub("", folded)
            for word in self._permitted:
                letters = letters.replace(word, " ")
            match = self._dense.search(letters)
            if match:
                return match.group()
        return None


@functools.cache
def forbidden_terms() -> TermList:
    """The terms that no text may show, in any language: all of `forbidden_*.txt` except negations."""
    sections = [section for language in ("en", "zh") for section in read_sections(f"forbidden_{language}").items()]
    return TermList(
        (term for heading, terms in sections if heading not in ("negation", "permitted") for term in terms),
        permitted=(word for heading, words in sections if heading == "permitted" for word in words),
    )


@functools.cache
def negations(language: str) -> TermList:
    """The words that negate a sentence of `language`."""
    return TermList(read_sections(f"forbidden_{language}")["negation"])


def _key(text: str) -> str:
    """The form in which whole names are compared: Latin words only, if all are Latin."""
    folded, words = folded_words(text)
    return " ".join(words) if words and folded.isascii() else folded.strip()


@functools.cache
def _names(file: str) -> frozenset[str]:
    return frozenset(map(_key, read_sections(file)[""]))


def is_vague(name: str) -> bool:
    """Whether a word of a category's name is too vague to be named alone."""
    return _key(name) in _names("vague_words")


def is_sensitive_category(name: str) -> bool:
    """Whether everything under this name of a category path is private."""
    return _key(name) in _names("sensitive_categories")


@functools.cache
def sensitive_terms() -> TermList:
    """The terms that reveal something private about a buyer, in any language."""
    return TermList(
        term for language in ("en", "zh") for terms in read_sections(f"sensitive_{language}").values() for term in terms
    )
