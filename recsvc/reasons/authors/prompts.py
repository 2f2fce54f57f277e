"""Builds the prompt for a pattern, and reads the pattern out of the answer.

The prompt holds the claim and some sentences that make it. It holds no seller text, no number, and nothing of a user.
"""

import re
from collections.abc import Sequence

from recsvc.domain.reason import REASON_RECIPE, Tone
from recsvc.reasons.grammar.pattern import SLOTS, PatternRequest
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.pattern_pool import is_pattern

MAX_ANSWER = 2_000  # characters of an answer that are read
_MAX_EXAMPLES = 3  # sentences in a prompt
_MAX_LISTED = 30  # sentences that a prompt lists to choose among
_TASKS = {
    "en": "You tell a shopper in one short sentence why an item is suggested. ",
    "zh": "你用一句简短的话告诉顾客为什么推荐这件商品。",
}
_RULES = {
    "en": "Keep each [[slot]] as it is, once. Answer with the sentence alone.",
    "zh": "每个[[占位符]]原样保留一次。只回答这一句话。",
}
_CHOICE_RULES = {
    "en": "Choose the most natural sentence of the list and copy it exactly. ",
    "zh": "从列表里选最自然的一句，原样照抄。",
}
_STYLES = {
    ("en", Tone.WARM): " Sound friendly, as a good shopkeeper does, and praise nothing.",
    ("en", Tone.CONCISE): " Use as few words as you can.",
    ("zh", Tone.WARM): "语气亲切，像一位好店主，但要就事论事。",
    ("zh", Tone.CONCISE): "字数越少越好。",
}
_LABELS = {"en": ("Sentences like", "List", "Another"), "zh": ("类似的句子", "列表", "另写一句")}
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_MARKED_SLOT = re.compile(r"\[\[(" + "|".join(SLOTS) + r")\]\]")
_WRAPPING = re.compile(r"^[\s\-*•\d.)\"'“”「」]+(?=\S)|[\s\"'“”「」]+$")


def messages(request: PatternRequest, known: tuple[str, ...], offered: Sequence[str] = ()) -> list[dict[str, str]]:
    """A chat that asks for one more pattern. The constant part comes first, so that a server may cache the prefix.

    Args:
        request: The claim to word.
        known: Patterns that exist already; the first `_MAX_EXAMPLES` are examples in the prompt.
        offered: Sentences to choose among, of which `_MAX_LISTED` are listed, if nothing else holds the model to them.
    """
    language = request.language
    like, choose, another = _LABELS[language]
    task = _TASKS[language]
    if request.recipe != REASON_RECIPE:
        task = recipes()[request.recipe].wording(language).task
    rules = (_CHOICE_RULES[language] if offered else "") + _RULES[language] + _STYLES.get((language, request.tone), "")
    examples = [f"{like}:", *map(marked, known[:_MAX_EXAMPLES]), ""] if known else []
    listed = [f"{choose}:", *offered[:_MAX_LISTED], ""] if offered else []
    content = "\n".join([*examples, *listed, f"{another}:"])
    return [{"role": "system", "content": task + rules}, {"role": "user", "content": content}]


def pattern_of(answer: str, request: PatternRequest) -> str | None:
    """The pattern in an answer; None if the grammar does not accept it for the claim."""
    text = _THOUGHT.sub("", answer[:MAX_ANSWER]).strip()
    first = _WRAPPING.sub("", text.splitlines()[0]) if text else ""
    if "{" in first or "}" in first:  # slots are marked by [[ ]] in the prompt
        return None
    pattern = _MARKED_SLOT.sub(lambda slot: f"{{{slot[1]}}}", first)
    return pattern if is_pattern(pattern, request) else None


def marked(pattern: str) -> str:
    """A pattern with its slots as the prompt writes them: `[[item]]`."""
    return re.sub(r"\{(\w+)\}", r"[[\1]]", pattern)
