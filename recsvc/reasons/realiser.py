"""The default generator: patterns from the phrase bank `phrases/*.ftl`, resolved by Fluent, or from a recipe."""

import functools
from importlib.resources import files

from fluent.runtime import FluentBundle, FluentResource

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, Tone
from recsvc.reasons.grammar.pattern import SLOTS, PatternRequest, is_short
from recsvc.reasons.grammar.recipe import cell_name, recipes

_PLACEHOLDERS = {name: f"{{{name}}}" for name in SLOTS}
_WARM = "warm_"
_PHRASES = files("recsvc.reasons") / "phrases"


@functools.cache  # it takes a tenth of a second, and nothing changes it
def _load(language: str) -> FluentBundle:
    # Isolation marks would stand in what the shopper reads; values hold no bidi characters that need them.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((_PHRASES / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle


class Realiser:
    """Writes no word of its own: every sentence stands in the phrase bank."""

    name = "realiser"
    model = ""
    ai_generated = False

    def __init__(self) -> None:
        self._bundles = {language: _load(language) for language in LANGUAGES}
        self.patterns = functools.cache(self._resolve)

    def _resolve(self, request: PatternRequest) -> tuple[str, ...]:
        """The patterns of a cell and a tone in the bank's order; none where the bank has none.

        Those of an attribute `warm_...` are warm. All others are neutral, and the short ones of them concise too.
        """
        if request.recipe != REASON_RECIPE:
            recipe = recipes().get(request.recipe)
            cell = cell_name(request.kind, request.form)
            return recipe.wording(request.language).patterns.get(cell, ()) if recipe is not None else ()
        bundle = self._bundles[request.language]
        cell = "-".join(filter(None, (request.kind, request.strength, request.form)))
        if not bundle.has_message(cell):
            return ()
        numbers = {f"{slot}-number": 1 if slot in request.singular else 2 for slot in ("days", "elapsed")}
        values = _PLACEHOLDERS | numbers
        patterns: list[str] = []
        for name, attribute in bundle.get_message(cell).attributes.items():
            if name.startswith(_WARM) is not (request.tone is Tone.WARM):
                continue
            text, errors = bundle.format_pattern(attribute, values)
            if errors:
                raise ValueError(f"{request.language}.ftl: {cell}: {errors[0]}")
            if request.tone is not Tone.CONCISE or is_short(str(text), request.language):
                patterns.append(str(text))
        return tuple(patterns)
