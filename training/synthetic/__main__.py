"""Makes a synthetic shop: `python -m training.synthetic --items 2000 --users 3000 --seed 7 --out shop`.

Writes events.parquet, items.parquet and users.parquet in the input contract.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.synthetic.shop import describe_shop, make_shop, write_shop
from training.synthetic.words import LANGUAGES


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. Exits with code 2 and a message if no shop can be made as asked."""
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description="Makes a synthetic shop.")
    parser.add_argument("--items", type=int, default=2_000, help="number of items (default 2000)")
    parser.add_argument("--users", type=int, default=3_000, help="number of users (default 3000)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same shop (default 7)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the three tables to")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of titles and profiles (default en)")
    arguments = parser.parse_args(argv)
    try:
        shop = make_shop(arguments.items, arguments.users, arguments.seed, arguments.language)
        write_shop(shop, arguments.out)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(describe_shop(shop))
    return 0


if __name__ == "__main__":
    sys.exit(main())
