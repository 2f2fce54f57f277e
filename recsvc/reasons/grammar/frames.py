"""Whether a frame, a sentence with its slots as `{item}` and so on, reads as a row of licensed phrases."""

from collections.abc import Iterable, Mapping

# Between two phrases.
_JOINTS = {"en": (" ", ", "), "zh": ("", "，")}

# Phrases by their first character, each with whether it claims something.
Phrases = Mapping[str, tuple[tuple[str, bool], ...]]


def phrases_by_start(claims: Iterable[str], others: Iterable[str]) -> Phrases:
    """claims: at least one of which a frame must have. others: what may stand beside them."""
    by_start: dict[str, list[tuple[str, bool]]] = {}
    for phrase, is_claim in (dict.fromkeys(others, False) | dict.fromkeys(claims, True)).items():
        by_start.setdefault(phrase[0], []).append((phrase, is_claim))
    return {start: tuple(phrases) for start, phrases in by_start.items()}


def reads(frame: str, phrases: Phrases, language: str, stop: str, capital: bool) -> bool:
    """Whether `frame` is a row of phrases, one of them a claim, joined as the language does and ended by `stop`.

    capital: it begins with one, where the language has them; the phrases are written without.
    Linear in the frame's length times the phrases that start alike: no backtracking, whatever is fed to it.
    """
    if not frame.endswith(stop):
        return False
    body = frame[: len(frame) - len(stop)]
    if capital and language == "en":
        if body[:1].islower():
            return False
        body = body[:1].lower() + body[1:]
    starts = {(0, False)}  # places where a phrase may start, and whether a claim came before
    for at in range(len(body)):
        for claimed in (False, True):
            if (at, claimed) not in starts:
                continue
            for phrase, is_claim in phrases.get(body[at], ()):
                if not body.startswith(phrase, at):
                    continue
                end = at + len(phrase)
                if end == len(body):
                    if claimed or is_claim:
                        return True
                    continue
                for joint in _JOINTS[language]:
                    if body.startswith(joint, end):
                        starts.add((end + len(joint), claimed or is_claim))
    return False
