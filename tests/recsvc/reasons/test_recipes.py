"""The recipes that are shipped: every pattern matches its grammar, and broken recipes are refused."""

import re
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength
from recsvc.errors import SettingsError
from recsvc.reasons import PatternRequest, Realiser, claim_key_of, pattern_of, recipes, request_of
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.grammar.claim_keys import REASON_SLOTS as REASONS
from recsvc.reasons.grammar.lexicon import matches_grammar, sentences
from recsvc.reasons.grammar.pattern import SLOT, Form
from recsvc.reasons.grammar.recipe import CLAIM_SLOTS, claim_key, parse_claim_key, read_recipe
from recsvc.reasons.seller_text.word_lists import RECIPES, forbidden_terms, negations, policy_digest
from recsvc.reasons.verifier import POLICY_VERSION

K = EvidenceKind
BANK = Realiser()
CLAIMS = [
    (recipe, language, *parse_claim_key(key))
    for recipe, language in product(recipes().values(), LANGUAGES)
    for key in recipe.wording(language).patterns
]
# A title only puts a word beside the name, so it has few patterns for a claim.
FEW_WAYS = "title.v1"
# Words that distinguish the forms of attributes, whatever the files say.
OF_SORT = {
    Form.COLOUR: r"colour|配色|颜色",
    Form.MATERIAL: r"material|made (?:of|from)|材质|制成",
    Form.STYLE: r"style|design(?!ed for)|look\b|风格|款式|设计",
    Form.USE: r"\bfor\b|suited|in mind|适|用",
}


def test_five_recipes_are_shipped_and_all_need_human_review():
    ids = ["campaign.v1", "description.v1", "selling_points.v1", "social_post.v1", "title.v1"]
    assert list(recipes()) == ids
    assert all(recipe.human_review for recipe in recipes().values())
    assert [id_ for id_, recipe in recipes().items() if recipe.has(K.AUDIENCE)] == ["campaign.v1"]


@pytest.mark.parametrize(("recipe", "language", "kind", "form"), CLAIMS)
def test_every_claim_of_a_recipe_has_several_patterns_that_match_its_grammar(recipe, language, kind, form):
    request = PatternRequest(kind, Strength.NEUTRAL, form, language, recipe=recipe.id)
    patterns = BANK.patterns(request)
    assert len(set(patterns)) == len(patterns)
    wording = recipe.wording(language)
    if recipe.id != FEW_WAYS:
        assert 4 <= len(patterns) <= 8
        # A language model has sentences to choose from, and a reviewer can read them all.
        assert 20 <= len(wording.sentences(claim_key(kind, form), language)) <= 150
    for pattern in patterns:
        assert matches_grammar(pattern, kind, Strength.NEUTRAL, form, language, recipe.id), pattern
        assert sorted(re.findall(r"\{(\w+)\}", pattern)) == sorted(CLAIM_SLOTS[kind, form]), pattern
        assert pattern.endswith(wording.stop)
        if wording.capital:
            assert not pattern[0].islower(), pattern
        if language == "en":
            assert not re.search(r"\ban? \{", pattern), f"{pattern}: a or an is for the value to say"
            assert kind is not K.ATTRIBUTE or not pattern.startswith("{") or recipe.id == FEW_WAYS, pattern
        else:
            assert not re.search("[,.:;!?]", re.sub(r"\{\w+\}", "", pattern)), f"{pattern}: half-width punctuation"


@pytest.mark.parametrize(("recipe", "language", "kind", "form"), CLAIMS)
def test_pattern_matches_no_other_claim(recipe, language, kind, form):
    """A sentence about one fact never passes for another fact, in this recipe, in another, or in a reason."""
    for pattern in recipe.wording(language).patterns[claim_key(kind, form)]:
        for other in recipes():
            for other_kind, other_form in CLAIM_SLOTS:
                if (other_kind, other_form) == (kind, form) or FEW_WAYS in (other, recipe.id):
                    continue
                matches = matches_grammar(pattern, other_kind, Strength.NEUTRAL, other_form, language, other)
                # The named form says the same of the brand; "买过" suits both audiences.
                assert not matches or (other_kind is kind and kind is not K.ATTRIBUTE), pattern
            for strength in list(Strength)[:3]:
                assert not matches_grammar(pattern, kind, strength, form, language, other)
        for other_kind, strength, other_form in REASONS:
            if matches_grammar(pattern, other_kind, strength, other_form, language) and recipe.id != FEW_WAYS:
                assert strength in (Strength.RELATIONAL, Strength.NEUTRAL), pattern
                assert {kind, other_kind} in ({kind}, {K.BRAND, K.CATEGORY}), pattern


@pytest.mark.parametrize("language", LANGUAGES)
def test_patterns_of_one_attribute_form_do_not_name_another(language):
    for recipe, form in product(recipes().values(), OF_SORT):
        for pattern in recipe.wording(language).patterns[f"attribute.{form}"]:
            words = pattern.replace("{value}", "").lower()
            for other, sign in OF_SORT.items():
                # A style or a colour may be made for something, so words of use are in no other form's way.
                if other is not form and other is not Form.USE:
                    assert not re.search(sign, words), (form, pattern)


def test_no_sentence_of_a_policy_is_forbidden_negative_or_has_a_number():
    for recipe, language, kind, form in CLAIMS:
        permitted = sentences(kind, Strength.NEUTRAL, form, language, recipe.id)
        assert permitted >= set(recipe.wording(language).patterns[claim_key(kind, form)])
        for sentence in permitted:
            words = SLOT.sub(" ", sentence)
            assert forbidden_terms().find(words) is None
            assert negations(language).find(words) is None
            assert not re.search(r"\d", words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_a_policy_reads_like_a_system_or_makes_the_shop_a_person(language):
    """The words that an editor struck out: see also the style of reasons."""
    struck = {
        "en": r"brought to you|invites? you|one to meet|is waiting|in case you wonder|by the way|this one|!|\?",
        "zh": r"你|邀您|打个招呼|主角|聚焦|走近|等您来|选的是|这一项|这次选了|由.{0,8}带来|出品",
    }
    for recipe, of_language, kind, form in CLAIMS:
        for sentence in sentences(kind, Strength.NEUTRAL, form, language, recipe.id) if of_language == language else ():
            assert not re.search(struck[language], sentence, re.IGNORECASE), (recipe.id, sentence)


def test_no_english_verb_agrees_with_the_name_of_the_item():
    """A name may be a plural, such as "Hiking Socks"."""
    for recipe, language, kind, form in CLAIMS:
        for sentence in sentences(kind, Strength.NEUTRAL, form, language, recipe.id) if language == "en" else ():
            assert not re.search(r"\{item\}\W+\w+s\b(?! range)|\b(?:it|it's|its)\b", sentence, re.IGNORECASE), sentence


def test_prompt_of_a_recipe_has_its_task_and_nothing_else():
    request = PatternRequest(K.ATTRIBUTE, Strength.NEUTRAL, Form.MATERIAL, "en", recipe="description.v1")
    assert claim_key_of(request) == "description.v1/en/attribute/neutral/material/neutral"
    assert request_of(claim_key_of(request)) == request
    assert request_of("poem.v1/en/attribute/neutral/material") is None
    system, user = messages(request, BANK.patterns(request))
    assert "description" in system["content"]
    assert "ade from [[value]]" in user["content"]
    assert "colour" not in user["content"]
    assert pattern_of("Made from [[value]].", request) == "Made from {value}."
    assert pattern_of("Made from the finest [[value]].", request) is None
    assert pattern_of("The colour is [[value]].", request) is None


def test_policy_version_changes_with_a_recipe(tmp_path, monkeypatch):
    assert policy_digest() in POLICY_VERSION
    for file in RECIPES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("recsvc.reasons.seller_text.word_lists.RECIPES", tmp_path)
    assert policy_digest() in POLICY_VERSION
    (tmp_path / "title.v1.toml").write_text((tmp_path / "title.v1.toml").read_text() + "#")
    assert policy_digest() not in POLICY_VERSION


TITLE = (files("recsvc.reasons") / "recipes" / "title.v1.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('id = "title.v1"', 'id = "titel.v1"', "must be the file's name"),
        ('id = "title.v1"', "", "id: Field required"),
        ("human_review = true", "human_review = true\nauthor = 1", "author: Extra inputs"),
        ('"attribute.use"', '"attribute.smell"', "no cell 'attribute.smell'; there are: attribute.colour"),
        ('cells = ["brand.named", "name"]', 'cells = ["brand.named"]', "must have the outline's cells"),
        ("characters = [4, 150]", "characters = [400, 150]", "the least must not be above the most"),
        ("[zh]", "[zh", "recipe title.v1.toml: "),
        ("[[outline]]", "[outline]", "recipe title.v1.toml: "),
    ],
)
def test_broken_recipe_is_refused_with_one_clear_message(tmp_path: Path, before: str, after: str, told: str):
    assert before in TITLE
    file = tmp_path / "title.v1.toml"
    file.write_text(TITLE, encoding="utf-8")
    assert read_recipe(file) == recipes()["title.v1"]
    file.write_text(TITLE.replace(before, after), encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(told)) as refused:
        read_recipe(file)
    assert str(refused.value).startswith("recipe title.v1.toml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{item} {item}", "slots once"),
        ("cheap {item}", "forbidden or negative"),
        ("2 of {item}", "a number"),
        ("{item} {price}", "a slot that there is not"),
        ("{item} (or", "'(' without ')'"),
    ],
)
def test_broken_policy_is_refused_with_its_language_and_cell(tmp_path: Path, line: str, told: str):
    file = tmp_path / "title.v1.toml"
    before, heading, policy = TITLE.partition("[en.policy]")
    file.write_text(before + heading + policy.replace("name = [", f"name = ['{line}', ", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(told)) as refused:
        read_recipe(file)
    assert str(refused.value).startswith("recipe title.v1.toml: en.policy.name: ")


def test_pattern_and_cell_that_the_policy_lacks_are_refused(tmp_path: Path):
    file = tmp_path / "title.v1.toml"
    file.write_text(TITLE.replace("[en.policy]", "[en.policy]\ncolour = ['red']"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"en\.policy: must have the outline's cells"):
        read_recipe(file)
    before, heading, patterns = TITLE.partition("[en.patterns]")
    changed = re.sub(r"^name = \[", "name = ['see {item}', ", patterns, count=1, flags=re.MULTILINE)
    file.write_text(before + heading + changed, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"en\.patterns\.name: 'see \{item\}' is not accepted by the policy"):
        read_recipe(file)


def test_recipe_that_is_not_text_is_refused(tmp_path: Path):
    file = tmp_path / "title.v1.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"title\.v1\.toml"):
        read_recipe(file)
