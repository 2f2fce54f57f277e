"""What a language model is asked to write a pattern, and what is taken of its answer. It is told the claim, the phrases
that it may use and some sentences that use them: no seller text, no number, nothing of a user.
"""

import re

from recsvc.domain.reason import REASON_RECIPE, Tone
from recsvc.reasons.grammar.lexicon import phrases_of
from recsvc.reasons.grammar.pattern import SLOTS, PatternRequest
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.pattern_pool import is_pattern

MAX_ANSWER = 2_000  # characters of an answer that are read
_SHOWN = 3  # sentences that a prompt shows
_TASKS = {
    "en": "You tell a shopper in one short sentence why an item is suggested. ",
    "zh": "你用一句简短的话告诉顾客为什么推荐这件商品。",
}
_RULES = {
    "en": "Join phrases from the list, with commas "
    "where they need one, and use no other words. Keep each [[slot]] as it is, once. Answer with the sentence alone.",
    "zh": "只用列表里的短语连成句子，必要时用逗号隔开，不要用别的词。每个[[占位符]]原样保留一次。只回答这一句话。",
}
_STYLES = {
    ("en", Tone.WARM): " Sound friendly, as a good shopkeeper does, and praise nothing.",
    ("en", Tone.CONCISE): " Use as few words as you can.",
    ("zh", Tone.WARM): "语气亲切，像一位好店主，但要就事论事。",
    ("zh", Tone.CONCISE): "字数越少越好。",
}
_LABELS = {"en": ("Phrases", "Sentences like", "Another"), "zh": ("短语", "类似的句子", "另写一句")}
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_MARKED_SLOT = re.compile(r"\[\[(" + "|".join(SLOTS) + r")\]\]")
_WRAPPING = re.compile(r"^[\s\-*•\d.)\"'“”「」]+(?=\S)|[\s\"'“”「」]+$")


def messages(request: PatternRequest, known: tuple[str, ...]) -> list[dict[str, str]]:
    """A chat that asks for one more pattern. known: patterns that there are; some are shown. What stays the same comes
    first, so that a server that keeps prefixes reads it once.
    """
    phrases, like, another = _LABELS[request.language]
    task = _TASKS[request.language]
    if request.recipe != REASON_RECIPE:
        task = recipes()[request.recipe].wording(request.language).task
    claim = (request.kind, request.strength, request.form, request.language, request.recipe)
    style = _STYLES.get((request.language, request.tone), "")
    may_use = "\n".join(map(_marked, phrases_of(*claim)))
    shown = "\n".join(map(_marked, known[:_SHOWN]))
    return [
        {"role": "system", "content": task + _RULES[request.language] + style},
        {"role": "user", "content": f"{phrases}:\n{may_use}\n\n{like}:\n{shown}\n\n{another}:"},
    ]


def pattern_of(answer: str, request: PatternRequest) -> str | None:
    """The pattern that an answer comes to; None for one that says anything that the claim does not license."""
    text = _THOUGHT.sub("", answer[:MAX_ANSWER]).strip()
    first = _WRAPPING.sub("", text.splitlines()[0]) if text else ""
    if "{" in first or "}" in first:  # only a marked slot is one
        return None
    pattern = _MARKED_SLOT.sub(lambda slot: f"{{{slot[1]}}}", first)
    return pattern if is_pattern(pattern, request) else None


def _marked(pattern: str) -> str:
    return re.sub(r"\{(\w+)\}", r"[[\1]]", pattern)
