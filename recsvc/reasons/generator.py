"""The interface of whatever writes the patterns of reasons while a request waits."""

from collections.abc import Callable
from typing import Protocol

from recsvc.reasons.grammar.pattern import PatternRequest


class Generator(Protocol):
    """Writes patterns: sentences with slots for the values.

    A generator sees no seller text, no number and no user, so it can neither leak nor change them. Its words are not
    trusted: the verifier checks every filled sentence.
    """

    @property
    def name(self) -> str:
        """Name of the generator, for the provenance."""
        ...

    @property
    def model(self) -> str:
        """Name of the language model, for the provenance; empty if there is none."""
        ...

    @property
    def ai_generated(self) -> bool:
        """Whether a language model chose the words."""
        ...

    @property
    def patterns(self) -> Callable[[PatternRequest], tuple[str, ...]]:
        """Returns the patterns for a request in a stable order; empty if there are none for its tone.

        It is called while a request waits: slow work is done beforehand, or later.
        """
        ...
