"""The port that whatever words reasons stands behind, and the table of those there are."""

from collections.abc import Callable, Mapping
from typing import Protocol

from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.realiser import Realiser


class Generator(Protocol):
    """Writes patterns: sentences with slots. It sees no seller text, no number and no user, so it cannot leak or alter
    them; its words count for nothing until the verifier has passed the filled sentence.

    name, model: for the provenance; model is empty where no language model is used. ai_generated: whether one chose the
    words.
    """

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def ai_generated(self) -> bool: ...

    @property
    def patterns(self) -> Callable[[PatternRequest], tuple[str, ...]]:
        """The patterns at hand for a request, in a stable order; empty when there are none of its tone. It is called on
        the serving path: what is slow was done before, or is done later."""
        ...


GENERATORS: Mapping[str, Callable[[], Generator]] = {"realiser": Realiser}
