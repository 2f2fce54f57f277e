"""The default generator. It takes patterns from the phrase bank `phrases/*.ftl`, read by Fluent, or from a recipe."""

import functools
from importlib.resources import files

from fluent.runtime import FluentBundle, FluentResource

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, Tone
from recsvc.reasons.concise import may_fit
from recsvc.reasons.grammar.pattern import SLOTS, PatternRequest
from recsvc.reasons.grammar.recipe import claim_key, recipes

_PLACEHOLDERS = {name: f"{{{name}}}" for name in SLOTS}
_PREFIXES = {Tone.WARM: "warm_", Tone.CONCISE: "concise_"}  # of attributes; those of the neutral tone have none
_PHRASES = files("recsvc.reasons") / "phrases"


@functools.cache  # loading takes a tenth of a second, and the files never change
def _load(language: str) -> FluentBundle:
    # Isolation marks would be part of the shopper's text. Values hold no bidirectional characters that need them.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((_PHRASES / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle


class Realiser:
    """Resolves patterns. It writes no word of its own: every pattern is in the phrase bank or in a recipe."""

    name = "realiser"
    model = ""
    ai_generated = False

    def __init__(self) -> None:
        self._bundles = {language: _load(language) for language in LANGUAGES}
        self.patterns = functools.cache(self._resolve)

    def _resolve(self, request: PatternRequest) -> tuple[str, ...]:
        """The patterns for a claim and a tone, in the bank's order; empty if the bank has none.

        A message attribute named `warm_...` is warm, one named `concise_...` is concise, and all others are neutral.
        After the concise ones come neutral ones that may fit.
        """
        if request.recipe != REASON_RECIPE:
            recipe = recipes().get(request.recipe)
            key = claim_key(request.kind, request.form)
            return recipe.wording(request.language).patterns.get(key, ()) if recipe is not None else ()
        bundle = self._bundles[request.language]
        message = "-".join(filter(None, (request.kind, request.strength, request.form)))
        if not bundle.has_message(message):
            return ()
        agreeing = {"number": request.number.value, "article": "yes" if request.article else "no"}
        by_prefix: dict[str, list[str]] = {"": [], **{prefix: [] for prefix in _PREFIXES.values()}}
        for name, attribute in bundle.get_message(message).attributes.items():
            text, errors = bundle.format_pattern(attribute, {**_PLACEHOLDERS, **agreeing})
            if errors:
                raise ValueError(f"{request.language}.ftl: {message}: {errors[0]}")
            by_prefix[next(filter(name.startswith, _PREFIXES.values()), "")].append(str(text))
        patterns = by_prefix[_PREFIXES.get(request.tone, "")]
        if request.tone is Tone.CONCISE:
            patterns = list(dict.fromkeys(patterns + list(filter(may_fit, by_prefix[""]))))
        return tuple(patterns)
