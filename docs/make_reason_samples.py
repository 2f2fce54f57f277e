"""Writes docs/reason-samples.md from what training.evaluate_reasons picked at random.

    python -m training.evaluate_reasons --bundle DIR --data SHOP --users 300 --json shop.json
    python docs/make_reason_samples.py --shop "Title of the shop" shop.json [--shop TITLE FILE ...]

There is one table for each language and shop, in the order of the arguments. Nothing is left out. For one language of
a shop, give --languages to training.evaluate_reasons.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "reason-samples.md"
HEADINGS = {"en": "English", "zh": "Chinese"}
INTRODUCTION = """# Reason samples

<!-- Written by docs/make_reason_samples.py. -->

Reasons as a shopper sees them: the item, then its sentence. These are the thirty that
`python -m training.evaluate_reasons` picked at random (`--users 300`, seed 0) for each shop and language. Nothing was
left out. Names are the sellers' own, shortened. The figures are in [experiments.md](experiments.md), the readers'
scores in [reading](reading/README.md); how a reason is made is in [reasons.md](reasons.md).
"""

_MARKUP = re.compile(r"[\\`*_<>|\[\]#]")


def page(shops: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Returns the page as Markdown.

    Args:
        shops: For each shop its title and the figures that `training.evaluate_reasons --json` wrote.
    """
    parts = [INTRODUCTION]
    for language, heading in HEADINGS.items():
        parts.append(f"## {heading}\n")
        for title, figures in shops:
            if language in figures["languages"]:
                parts.append(f"### {title}\n\n{_table(figures['languages'][language]['picked'])}")
    return "\n".join(parts)


def _table(samples: Sequence[dict[str, Any]]) -> str:
    rows = (f"| {_cell(sample['item'])} | {_cell(sample['text'])} |" for sample in samples)
    return "\n".join(["| item | reason |", "|---|---|", *rows, ""])


def _cell(text: str) -> str:
    """A seller's text as plain words in a cell of a table."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python docs/make_reason_samples.py", description="Writes reason-samples.md.")
    parser.add_argument("--shop", nargs=2, action="append", required=True, metavar=("TITLE", "FILE"))
    parser.add_argument("--out", type=Path, default=OUT, help="the page to write [docs/reason-samples.md]")
    options = parser.parse_args(arguments)
    shops = [(title, json.loads(Path(file).read_text(encoding="utf-8"))) for title, file in options.shop]
    options.out.write_text(page(shops), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
