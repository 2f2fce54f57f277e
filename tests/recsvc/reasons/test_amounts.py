"""Numbers and times as people say them: days up to two months, then months, then years."""

import re

import pytest

from recsvc.domain.reason import LANGUAGES
from recsvc.reasons.amounts import ago_text, every_text, number_text, period_text, since_text, times_text


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        (1, "1 day ago", "1天前"),
        (2, "2 days ago", "2天前"),
        (13, "13 days ago", "13天前"),
        (14, "2 weeks ago", "14天前"),
        (24, "about 3 weeks ago", "24天前"),
        (56, "8 weeks ago", "56天前"),
        (60, "about 2 months ago", "60天前"),
        (61, "about 2 months ago", "大约2个月前"),
        (90, "about 3 months ago", "大约3个月前"),
        (319, "about 10 months ago", "大约10个月前"),
        (320, "about a year ago", "大约一年前"),
        (365, "about a year ago", "大约一年前"),
        (441, "about a year ago", "大约一年前"),
        (442, "about a year and a half ago", "大约一年半前"),
        (623, "about a year and a half ago", "大约一年半前"),
        (640, "about 2 years ago", "大约2年前"),
        (3_650, "about 10 years ago", "大约10年前"),
    ],
)
def test_time_that_has_passed(days, english, chinese):
    assert (ago_text(days, "en"), ago_text(days, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("every", "since", "english", "chinese"),
    [
        (44, 66, ("44 days", "66 days"), ("44天", "66天")),  # both in the same unit
        (60, 120, ("60 days", "120 days"), ("60天", "120天")),
        (61, 60, ("2 months", "60 days"), ("2个月", "60天")),
        (90, 100, ("3 months", "about 3 months"), ("3个月", "大约3个月")),
        (365, 400, ("year", "about a year"), ("一年", "大约一年")),
        (730, 800, ("2 years", "about 2 years"), ("2年", "大约2年")),
    ],
)
def test_interval_and_time_since(every, since, english, chinese):
    for language, said in (("en", english), ("zh", chinese)):
        assert (every_text(every, language), since_text(since, every, language)) == said


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        (1, "day", "1天"),
        (28, "28 days", "28天"),
        (60, "60 days", "60天"),
        (84, "84 days", "84天"),  # a window is exact: these are no 3 months
        (90, "3 months", "3个月"),
        (180, "6 months", "6个月"),
        (365, "year", "一年"),
        (400, "400 days", "400天"),
        (730, "2 years", "2年"),
    ],
)
def test_window(days, english, chinese):
    assert (period_text(days, "en"), period_text(days, "zh")) == (english, chinese)


def test_numbers_and_times():
    assert (number_text(1_312, "en"), number_text(1_312, "zh")) == ("1,312", "1312")
    assert [times_text(count, "en") for count in (2, 3, 1_312)] == ["twice", "3 times", "1,312 times"]
    assert [times_text(count, "zh") for count in (2, 3, 1_312)] == ["两次", "3次", "1312次"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_amount_is_singular_in_form_and_plural_in_number(language):
    for days in range(2, 3_000):
        for text in (ago_text(days, language), every_text(days, language), period_text(days, language)):
            assert not re.search(r"\b1 (days|months|years)\b|\b(?!1\b)\d+ (day|month|year)\b", text)
            assert not text.startswith(("0", "about 0", "about 1 ", "大约0", "大约1个", "大约1年"))
