"""The final gate removes what may not be listed, and tells a fault of the search from a change of stock."""

from pathlib import Path

import numpy as np
import pytest
from prometheus_client import Counter

from recsvc.domain.records import ItemChange, ItemField
from recsvc.model import bundle_files as bundles
from recsvc.model.catalogue import Catalogue
from recsvc.pipeline.final_gate import enforce
from recsvc.ranking import Ranking
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.metrics import GATE_LATE_CHANGES, GATE_VIOLATIONS

RANKING = Ranking(np.array([4, 0, 2], np.int32), np.array([3.0, 2.0, 1.0], np.float32))
NO_ROWS = np.empty(0, np.int32)


def count(counter: Counter) -> float:
    [metric] = counter.collect()
    return metric.samples[0].value


@pytest.fixture(scope="module")
def catalogue(small_bundle: Path) -> Catalogue:
    return bundles.load(small_bundle).catalogue


@pytest.fixture
def inventory(catalogue: Catalogue) -> Inventory:
    return Inventory(catalogue)


def sell_out(inventory: Inventory, catalogue: Catalogue, row: int) -> None:
    inventory.apply([ItemChange(catalogue.items[row].item_id, ItemField.STOCK, set_time=1, value=0)])


def test_item_that_sold_out_before_the_search_is_removed_and_counts_as_a_violation(
    inventory: Inventory, catalogue: Catalogue
) -> None:
    sell_out(inventory, catalogue, row=0)
    violations, late = count(GATE_VIOLATIONS), count(GATE_LATE_CHANGES)
    assert enforce(RANKING, inventory, inventory.version, NO_ROWS).rows.tolist() == [4, 2]
    assert (count(GATE_VIOLATIONS), count(GATE_LATE_CHANGES)) == (violations + 1, late)


def test_item_that_sold_out_during_the_search_is_removed_and_counts_as_a_late_change(
    inventory: Inventory, catalogue: Catalogue
) -> None:
    planned = inventory.version
    sell_out(inventory, catalogue, row=2)
    violations, late = count(GATE_VIOLATIONS), count(GATE_LATE_CHANGES)
    assert enforce(RANKING, inventory, planned, NO_ROWS).rows.tolist() == [4, 0]
    assert (count(GATE_VIOLATIONS), count(GATE_LATE_CHANGES)) == (violations, late + 1)


def test_excluded_item_in_a_ranking_is_removed_and_counts_as_a_violation(inventory: Inventory) -> None:
    violations = count(GATE_VIOLATIONS)
    assert enforce(RANKING, inventory, inventory.version, np.array([4], np.int32)).rows.tolist() == [0, 2]
    assert count(GATE_VIOLATIONS) == violations + 1


def test_ranking_without_forbidden_items_passes_as_it_is(inventory: Inventory) -> None:
    violations = count(GATE_VIOLATIONS)
    assert enforce(RANKING, inventory, inventory.version, NO_ROWS) is RANKING
    assert count(GATE_VIOLATIONS) == violations
