"""Checks a shop's tables and prints what is in them: `python -m training.data --data DIR`."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from training.data.shop import Shop, read_shop
from training.errors import DataError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 1 if the tables cannot be trained on."""
    parser = argparse.ArgumentParser(prog="python -m training.data", description="Checks a shop's tables.")
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    folder = parser.parse_args(arguments).data
    try:
        shop = read_shop(folder)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    _print_summary(shop)
    return 0


def _print_summary(shop: Shop) -> None:
    # Names and notes hold the shop's own words: no markup may be read into them.
    console = Console(markup=False, highlight=False)
    console.print(f"events       {shop.events.height:,} by {shop.events['user_id'].n_unique():,} users")
    for event_type, count in shop.events["event_type"].value_counts(sort=True).iter_rows():
        console.print(f"             {count:,} {event_type}")
    if (times := shop.events["timestamp"]).len():
        console.print(f"time         {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}")
    console.print(f"items        {shop.items.height:,}, {shop.events['item_id'].n_unique():,} of them with events")
    console.print(f"users        {shop.users.height:,} with a profile of {shop.users.width - 1} attributes")
    console.print(f"fingerprint  {shop.fingerprint}")
    for note in shop.notes:
        console.print(f"note         {note}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
