"""Builds the prompt for a pattern, and reads the pattern out of the answer.

The prompt holds the claim, the phrases that may be used, and some sentences that use them. It holds no seller text, no
number, and nothing of a user.
"""

import re

from recsvc.domain.reason import REASON_RECIPE, Tone
from recsvc.reasons.grammar.lexicon import sentences
from recsvc.reasons.grammar.pattern import SLOTS, PatternRequest
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.pattern_pool import is_pattern

MAX_ANSWER = 2_000  # characters of an answer that are read
_MAX_EXAMPLES = 3  # sentences in a prompt
_MAX_CHOICES = 60  # permitted sentences in a prompt
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
    """A chat that asks for one more pattern. The constant part comes first, so that a server may cache the prefix.

    Args:
        request: The claim to word.
        known: Patterns that exist already; the first `_MAX_EXAMPLES` are examples in the prompt.
    """
    phrases, like, another = _LABELS[request.language]
    task = _TASKS[request.language]
    if request.recipe != REASON_RECIPE:
        task = recipes()[request.recipe].wording(request.language).task
    claim = (request.kind, request.strength, request.form, request.language, request.recipe)
    style = _STYLES.get((request.language, request.tone), "")
    may_use = "\n".join(map(_marked, sorted(sentences(*claim))[:_MAX_CHOICES]))
    examples = "\n".join(map(_marked, known[:_MAX_EXAMPLES]))
    return [
        {"role": "system", "content": task + _RULES[request.language] + style},
        {"role": "user", "content": f"{phrases}:\n{may_use}\n\n{like}:\n{examples}\n\n{another}:"},
    ]


def pattern_of(answer: str, request: PatternRequest) -> str | None:
    """The pattern in an answer; None if the grammar does not accept it for the claim."""
    text = _THOUGHT.sub("", answer[:MAX_ANSWER]).strip()
    first = _WRAPPING.sub("", text.splitlines()[0]) if text else ""
    if "{" in first or "}" in first:  # slots are marked by [[ ]] in the prompt
        return None
    pattern = _MARKED_SLOT.sub(lambda slot: f"{{{slot[1]}}}", first)
    return pattern if is_pattern(pattern, request) else None


def _marked(pattern: str) -> str:
    return re.sub(r"\{(\w+)\}", r"[[\1]]", pattern)
