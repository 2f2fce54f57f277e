"""A reason that quotes a profile is true if the profile says it: in the attribute named, or anywhere for a term."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Item, Profile
from recsvc.model import bundle_files
from recsvc.reasons import ReasonWriter
from recsvc.users.user_state import state_of
from training.reason_evaluation.offline_pages import Page
from training.reason_evaluation.truth import Purchases, Truth

BOOTS = Item("i1", "Leather Hiking Boots", "", ("Outdoors", "Hiking Boots"))
SENTENCE = "Spends most weekends outdoors and has worn out more hiking boots than anybody else"
EVENTS = pl.DataFrame(
    schema={"user_id": pl.String, "item_id": pl.String, "event_type": pl.String, "timestamp": pl.Datetime("us", "UTC")}
)


@pytest.fixture
def problems(small_bundle: Path):
    bundle = bundle_files.load(small_bundle)
    truth = Truth(bundle, Purchases.of(EVENTS, (30,)), now=0)

    def problems(profile: Profile, name: str) -> list[str]:
        record = UserRecord("u", 1, (), profile, np.zeros(4, np.float32))
        fact = Evidence(
            EvidenceKind.PROFILE, Strength.CONTRIBUTORY, effect=0.1, share=0.2, value="hiking boots", name=name
        )
        (reason,) = ReasonWriter().write_page([(BOOTS, (fact,))], "en", 0)
        assert reason is not None
        nobody = np.zeros(0, np.int32)
        page = Page(
            user_id="u",
            state=state_of(record, bundle),
            user_vector=np.zeros(1, np.float32),
            rows=nobody,
            reasons=(reason,),
            competitors=nobody,
            seconds=0.0,
        )
        return truth.problems(page, BOOTS, reason)

    return problems


@pytest.mark.parametrize("profile", [Profile(SENTENCE, ()), Profile("", (("About me", SENTENCE),))])
def test_term_of_a_long_sentence_is_true_wherever_the_sentence_stands(problems, profile: Profile) -> None:
    assert problems(profile, name="") == []


def test_phrase_is_true_in_the_attribute_that_it_was_read_from_alone(problems) -> None:
    profile = Profile("hiking boots", (("Likes", "hiking boots"), ("Owns", "tents")))
    assert problems(profile, name="Likes") == []
    assert len(problems(profile, name="Owns")) == 1


def test_term_that_the_profile_does_not_have_is_false(problems) -> None:
    assert len(problems(Profile("tents", (("Likes", "tents"),)), name="")) == 1
