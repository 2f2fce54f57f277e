"""ContentService: requests for copy about an item, and its drafts."""

from collections.abc import Iterable

from recsvc.domain.content_request import ContentRequest
from recsvc.domain.reason import LANGUAGES, ContentDraft, EvidenceKind
from recsvc.reasons import Recipe
from recsvc.v1 import content_pb2
from recsvc.wire.fields import MAX_BRAND, Violations, id_problem, text_problem
from recsvc.wire.reasons import add_evidence, encode_provenance
from recsvc.wire.recommendations import language_of

MAX_DRAFTS = 10
MAX_VARIANT = 1_000_000
MAX_RECIPE = 64


def decode_generate(request: content_pb2.GenerateRequest) -> ContentRequest:
    """Decodes a request for drafts. Raises InvalidRequest."""
    violations = Violations()
    violations.note("recipe", text_problem(request.recipe, 1, MAX_RECIPE))
    violations.note("item_id", id_problem(request.item_id))
    language = language_of(request.language)
    if not language:
        violations.note("language", f"must be one of {', '.join(LANGUAGES)}, with or without a region")
    if request.variant > MAX_VARIANT:
        violations.note("variant", f"must be at most {MAX_VARIANT}")
    if request.drafts > MAX_DRAFTS:
        violations.note("drafts", f"must be at most {MAX_DRAFTS}")
    audience = None
    if request.HasField("audience"):
        buyers = request.audience.WhichOneof("buyers")
        if buyers is None:
            violations.note("audience.buyers", "must be set: a brand or a category")
        else:
            audience = (str(buyers), str(getattr(request.audience, buyers)))
            violations.note(f"audience.{buyers}", text_problem(audience[1], 1, MAX_BRAND))
    violations.raise_if_any()
    return ContentRequest(request.recipe, request.item_id, language, audience, request.variant, max(request.drafts, 1))


def encode_drafts(drafts: Iterable[ContentDraft], bundle_id: str) -> content_pb2.GenerateResponse:
    """Encodes drafts, each part with the facts that it states."""
    response = content_pb2.GenerateResponse(bundle_id=bundle_id)
    for draft in drafts:
        message = response.drafts.add(
            text=draft.text,
            language=draft.language,
            provenance=encode_provenance(draft.provenance),
            human_review_required=draft.human_review,
        )
        for part in draft.parts:
            target = message.parts.add(text=part.text)
            for fact in part.evidence:
                add_evidence(target.facts, fact)
    return response


def encode_recipes(recipes: Iterable[Recipe]) -> content_pb2.ListRecipesResponse:
    """Encodes the recipes that a request can name."""
    response = content_pb2.ListRecipesResponse()
    for recipe in recipes:
        response.recipes.add(
            recipe=recipe.id,
            purpose=recipe.purpose,
            languages=LANGUAGES,
            human_review_required=recipe.human_review,
            addresses_audience=recipe.has(EvidenceKind.AUDIENCE),
        )
    return response
