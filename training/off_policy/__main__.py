"""Estimates how much another arm, or another bundle, would have earned: `python -m training.off_policy`.

    python -m training.off_policy --data SHOP --placement home [--reward purchase] [--hours 24]
                                  [--bundle DIR] [--report FILE] [--json FILE]

SHOP is a folder that `training.export_events` exported to. An arm is judged by the users who got it at random; each
counts by how likely that was. A bundle may be judged before it serves anybody: it orders the candidates of each list
again, and the explored places (`exploration` of a placement) tell how that order would have done. That needs many
lists.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from recsvc.domain.shop import EventType
from recsvc.model import bundle_files as bundles
from training.data.shop import read_shop
from training.evaluation.command import run_command
from training.off_policy.logged_lists import read_logged_lists
from training.off_policy.policy_value import evaluate_arms, evaluate_bundle
from training.off_policy.replay import past_features
from training.off_policy.report import text_table, write_report

REWARDS = tuple(t.name.lower() for t in (EventType.VIEW, EventType.ADD_TO_CART, EventType.PURCHASE))


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Estimates everything that the report and the JSON file hold.

    Raises:
        DataError: The folder has no such lists, or no exported events.
        BundleError: The bundle cannot be loaded.
        TextEncoderError: The bundle needs a text encoder that is not installed.
    """
    lists = read_logged_lists(options.data, options.placement, options.reward, options.hours)
    shop = read_shop(options.data)
    bundle = bundles.load(options.bundle) if options.bundle is not None else None
    return {
        "placement": options.placement,
        "reward": options.reward,
        "hours": options.hours,
        "lists": len(lists),
        "users": len(set(lists.user_ids)),
        "bundle_id": bundle.bundle_id if bundle is not None else None,
        "arms": evaluate_arms(lists, past_features(shop, lists)),
        "bundle": evaluate_bundle(lists, bundle, shop, console) if bundle is not None else [],
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.off_policy",
        description="Estimates how much another arm, or another bundle, would have earned.",
    )
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder, with exported events and lists")
    parser.add_argument("--placement", required=True, help="the placement whose lists are read")
    parser.add_argument(
        "--reward", choices=REWARDS, default="purchase", help="the event that counts; view is a click [purchase]"
    )
    parser.add_argument("--hours", type=float, default=24.0, help="it counts within these hours after the list [24]")
    parser.add_argument("--bundle", type=Path, help="also judge this bundle, by the lists that explored")
    parser.add_argument(
        "--report", type=Path, default=Path("off_policy.html"), help="the HTML page to write [off_policy.html]"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)

    def show(result: dict[str, Any]) -> None:
        write_report(result, options.report)
        print(*text_table(result), f"report {options.report}", sep="\n")

    return run_command(lambda console: run(options, console), show, json_file=options.json)


if __name__ == "__main__":
    sys.exit(main())
