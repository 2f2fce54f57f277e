"""Every row of the table of faults, at the lengths of `make fault-test`: an hour in all."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from tests.faults.envoy_process import has_envoy
from tests.faults.row import Row

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3_600)]

NAMES = (
    "redis_killed",
    "redis_paused",
    "redis_fails_over",
    "redis_lost_data",
    "bundles_swapped",
    "catalogue_changed",
    "start_beside_items",
    "replica_killed",
    "stopped_in_flight",
    "bundle_spoilt",
    "overload",
    "overload_behind_envoy",
    "mixed_requests",
    "fuzzed_messages",
    "careless_clients",
    "wrong_credentials",
    "worker_killed",
    "workers_stopped",
    "workers_follow",
)

BEHIND_ENVOY = {"overload_behind_envoy", "replica_killed"}
# What is known to miss its bounds, and what was measured.
MISSES = {
    "overload": "one process alone answers .21 of its peak at 5 x; behind Envoy .98",
    "overload_behind_envoy": "clients that wait and ask again get .83 of the peak, on two cores for all programs",
}
ROWS = [
    pytest.param(name, marks=[pytest.mark.xfail(reason=MISSES[name], strict=False)] if name in MISSES else [])
    for name in NAMES
]


@pytest.mark.parametrize("name", ROWS)
def test_the_figures_of_a_fault_are_within_their_bounds(name: str, small_bundle: Path) -> None:
    if name in BEHIND_ENVOY and not has_envoy():
        pytest.skip("needs envoy on PATH: `make fault-test` installs it")
    row: Row = import_module(f"tests.faults.{name}").ROW
    figures = row.measure(small_bundle)
    assert not row.misses(figures), json.dumps(figures, indent=1)


def test_every_module_with_a_row_is_tested() -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("*.py") if "\nROW = Row(" in path.read_text()}
    assert modules == set(NAMES)
