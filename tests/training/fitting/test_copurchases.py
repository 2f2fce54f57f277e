"""Companions of items, compared with counting the people one by one."""

from dataclasses import replace

import numpy as np

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.explain.relations import MIN_CO_PURCHASE_LIFT
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.fitting.copurchases import MAX_COMPANIONS, copurchases

DAYS = 120
MIN_COHORT, MIN_CO_BUYERS = 12, 3


def test_companions_and_counts_equal_those_counted_one_by_one(small_shop_folder, monkeypatch):
    # A small shop has small cohorts.
    for name, few in (("MIN_COHORT", MIN_COHORT), ("MIN_CO_BUYERS", MIN_CO_BUYERS)):
        monkeypatch.setattr(f"training.fitting.copurchases.{name}", few)
    shop = Interactions.of(read_shop(small_shop_folder))
    found = copurchases(shop, DAYS)
    since = shop.timestamps.max() - DAYS * MICROSECONDS_A_DAY
    buyers = [set() for _ in range(shop.n_items)]
    for user in range(len(shop.user_ids)):
        history = shop.history(user)
        for row in history.rows[history.purchases & (history.timestamps > since)]:
            buyers[row].add(user)
    assert found.cohorts.tolist() == [len(people) for people in buyers]
    everybody = len(set().union(*buyers))
    claims = 0
    for anchor, people in enumerate(buyers):
        together = {other: len(people & those) for other, those in enumerate(buyers) if other != anchor}
        wanted = {
            other: count
            for other, count in together.items()
            if len(people) >= MIN_COHORT
            and count >= MIN_CO_BUYERS
            and count / len(people) >= MIN_CO_PURCHASE_LIFT * len(buyers[other]) / everybody
        }
        listed = found.companions[anchor][found.companions[anchor] >= 0].tolist()
        assert len(set(listed)) == len(listed) == min(len(wanted), MAX_COMPANIONS)
        counts = found.companion_buyers[anchor][: len(listed)].tolist()
        assert [wanted[other] for other in listed] == counts == sorted(counts, reverse=True)
        if len(wanted) > MAX_COMPANIONS:
            assert counts[-1] >= sorted(wanted.values(), reverse=True)[MAX_COMPANIONS - 1]
        claims += len(listed)
    assert claims > 100


def test_views_and_returns_make_no_companions(small_shop_folder):
    shop = Interactions.of(read_shop(small_shop_folder))
    nothing = replace(shop, event_types=np.zeros_like(shop.event_types))
    found = copurchases(nothing, DAYS)
    assert not found.cohorts.any()
    assert (found.companions == -1).all()
