"""A Chinese category is named as things that people buy only if its name ends like a word for things."""

import pytest

from recsvc.reasons.seller_text.nouns import names_things


@pytest.mark.parametrize("name", ["指甲油", "登山鞋", "厨房用品", "咖啡豆", "自行车灯", "能量胶", "图书"])
def test_chinese_word_for_things_may_be_bought(name):
    assert names_things(name, "zh")


@pytest.mark.parametrize("name", ["露营", "登山鞋护理", "自行车保养", "健康监测", "厨房与餐厅", "户外", "洗衣", "母婴"])
def test_chinese_name_of_an_area_is_no_word_for_things(name):
    assert not names_things(name, "zh")
