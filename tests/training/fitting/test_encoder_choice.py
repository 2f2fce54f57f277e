"""The text encoder is chosen by the letters and the language of the catalogue, and the reason is said."""

import pytest

from training.fitting.encoder_choice import choose_encoder, languages

TITLES = {
    "English": [
        "Walking Boots for Men",
        "Kettle with Thermometer",
        "Set of 6 Mugs",
        "Rain Jacket",
        "Eau de Parfum by Lune",
    ],
    "German": [
        "Wanderschuhe für Herren",
        "Wasserkocher mit Anzeige",
        "6 Becher aus Glas",
        "Regenjacke",
        "Kissen und Decke",
    ],
    "French": ["Chaussures de marche pour homme", "Bouilloire avec thermomètre", "Lot de 6 tasses en verre", "Veste"],
    "Spanish": [
        "Botas de montaña para hombre",
        "Hervidor con termómetro",
        "Juego de tazas y platos",
        "Chaqueta sin mangas",
    ],
    "Italian": ["Scarponi da uomo", "Bollitore con termometro", "Tazze di vetro e piatti", "Giacca per la pioggia"],
    "Portuguese": ["Botas de caminhada para homem", "Chaleira com termômetro", "Jogo de copos em vidro", "Casaco"],
    "Dutch": ["Wandelschoenen voor heren", "Waterkoker met thermometer", "Set van 6 mokken", "Regenjas zonder mouwen"],
    "Polish": ["Buty trekkingowe dla mężczyzn", "Czajnik z termometrem", "Zestaw kubków do kawy", "Kurtka bez rękawów"],
    "Turkish": ["Erkek yürüyüş botu", "Termometre ile su ısıtıcı", "6 adet kupa", "Kadın yağmurluk", "Çocuk için mont"],
    "Russian": ["Ботинки мужские для походов", "Чайник с термометром", "Набор кружек из стекла", "Куртка женская"],
    "Arabic": ["حذاء رجالي للمشي", "غلاية مع ميزان حرارة", "طقم أكواب من الزجاج", "معطف نسائي"],
}
NOT_READ = {
    "Swedish": ["Vandringskängor för herr", "Vattenkokare med termometer", "Muggar av glas", "Regnjacka till barn"],
    "Czech": ["Pánské boty do hor", "Konvice s teploměrem", "Sada hrnků na kávu", "Bunda bez rukávů"],
    "Ukrainian": ["Черевики чоловічі для походів", "Чайник з термометром", "Набір чашок зі скла", "Куртка та шапка"],
}


@pytest.mark.parametrize("language", TITLES)
def test_a_language_that_an_encoder_reads_decides_and_is_named(language: str) -> None:
    choice = choose_encoder(TITLES[language])
    assert choice.name == ("embedded" if language == "English" else "multilingual")
    assert choice.reason.endswith(f"frequent words of {language}")


@pytest.mark.parametrize("language", NOT_READ)
def test_a_language_that_no_encoder_reads_is_named_with_what_to_do(language: str) -> None:
    choice = choose_encoder(NOT_READ[language])
    assert choice.name == "embedded"
    assert f"words of {language}, which neither built-in encoder reads" in choice.reason
    assert "--text-encoder" in choice.reason


@pytest.mark.parametrize(
    ("texts", "encoder", "reason"),
    [
        (["登山鞋 男款", "Acme 保温杯 500ml"], "multilingual", "Chinese"),
        (["メンズ登山靴 防水", "電気ケトル"], "multilingual", "Japanese"),
        (["남성 등산화", "전기 주전자"], "multilingual", "Korean"),
        (["รองเท้าเดินป่า ชาย", "กาต้มน้ำ"], "multilingual", "Thai"),
        (["ट्रेकिंग जूते", "केतली"], "embedded", "Devanagari, which neither"),
        (["12345", ""], "embedded", "no letters"),
        ([], "embedded", "no letters"),
        (["Thermosflasche hellgrün", "Müslischüssel", "Lötkolben"] * 3, "multilingual", "marks"),
        (["Tornado XL", "Quadro Pro"], "embedded", "taken for English"),
        # One Chinese item among fifty English ones.
        (["Walking boots for men with laces"] * 50 + ["登山鞋"], "embedded", "English"),
    ],
)
def test_letters_decide_where_they_tell_more_than_words(texts: list[str], encoder: str, reason: str) -> None:
    choice = choose_encoder(texts)
    assert choice.name == encoder
    assert reason in choice.reason


def test_texts_from_all_over_the_catalogue_decide() -> None:
    texts = ["Walking boots for men"] * 30_000 + ["登山鞋 男款 防水 轻便"] * 30_000
    assert choose_encoder(texts).name == "multilingual"


def test_every_latin_or_other_spaced_language_of_the_multilingual_encoder_is_listed() -> None:
    assert {language.name for language in languages() if language.multilingual} == set(TITLES)
