"""Says numbers and times as people do. Each text carries its unit, so that no sentence has to agree with a number."""

MAX_DAYS = 60  # a time up to this is said in days; a longer one in months
_DAYS_A_MONTH, _DAYS_A_YEAR = 30.4375, 365.25
_DAYS_A_WEEK = 7
# An English "ago" is said in weeks between these: "24 days ago" reads like record-keeping. From the last on, months.
_MIN_WEEKS, _MAX_WEEKS = 2, 8
_MONTHS_NEARLY_A_YEAR = 11  # from here on, a time is said in years
_MONTHS_ABOUT_A_YEAR_AND_A_HALF = range(15, 21)
_WINDOW_MONTH, _WINDOW_YEAR = 30, 365  # days; a window is said in months or years only if it is a whole number of them


def number_text(number: int, language: str) -> str:
    """`number` as a reader of `language` writes it: '1,312' in English, '1312' in Chinese."""
    return f"{number:,}" if language == "en" else str(number)


def times_text(count: int, language: str) -> str:
    """A frequency in words: 'twice', '5 times'; '两次', '5次'. `count` is 2 or more."""
    is_twice = count == 2  # noqa: PLR2004  both languages have a word for it
    if language == "en":
        return "twice" if is_twice else f"{number_text(count, language)} times"
    return "两次" if is_twice else f"{count}次"


def ago_text(days: int, language: str) -> str:
    """How long ago: '1 day ago', 'about 3 weeks ago', 'about 3 months ago'; '1天前', '大约3个月前'.

    `days` is 1 or more. Never "yesterday": a day is 24 hours here, and the shopper's time zone is not known.
    """
    max_days = MAX_DAYS if language == "zh" else _MAX_WEEKS * _DAYS_A_WEEK
    if language == "en" and _MIN_WEEKS * _DAYS_A_WEEK <= days <= max_days:
        weeks = _amount(round(days / _DAYS_A_WEEK), "week", language)
        return f"{weeks} ago" if days % _DAYS_A_WEEK == 0 else f"about {weeks} ago"
    return {"en": "{} ago", "zh": "{}前"}[language].format(_about(days, language, max_days))


def since_text(days: int, every: int, language: str) -> str:
    """How long it has been: '66 days', 'about 3 months'; '66天', '大约3个月'.

    Args:
        days: 2 or more.
        every: Days of the interval that it is compared with. If that is said in days, so is this.
        language: One of `LANGUAGES`.
    """
    return _about(days, language, 2 * MAX_DAYS if every <= MAX_DAYS else MAX_DAYS)


def every_text(days: int, language: str) -> str:
    """An interval behind 'about every' and '每': '44 days', '3 months', 'year'; '44天', '3个月', '一年'."""
    if days <= MAX_DAYS:
        return _amount(days, "day", language)
    months, years = round(days / _DAYS_A_MONTH), round(days / _DAYS_A_YEAR)
    if months < _MONTHS_NEARLY_A_YEAR:
        return _amount(months, "month", language)
    return _bare_year(language) if years == 1 else _amount(years, "year", language)


def period_text(days: int, language: str) -> str:
    """A window behind 'in the last' and '最近': '30 days', '3 months', 'year'; '30天', '3个月', '一年'.

    It is exact: a window that is no whole number of months stays in days.
    """
    if days % _WINDOW_YEAR == 0:
        years = days // _WINDOW_YEAR
        return _bare_year(language) if years == 1 else _amount(years, "year", language)
    if days > MAX_DAYS and days % _WINDOW_MONTH == 0:
        return _amount(days // _WINDOW_MONTH, "month", language)
    if days == 1 and language == "en":
        return "day"
    return _amount(days, "day", language)


def _about(days: int, language: str, max_days: int) -> str:
    """A duration: in days up to `max_days`, then in months or years, rounded."""
    if days <= max_days:
        return _amount(days, "day", language)
    about = {"en": "about ", "zh": "大约"}[language]
    months = round(days / _DAYS_A_MONTH)
    if months < _MONTHS_NEARLY_A_YEAR:
        return about + _amount(months, "month", language)
    if months in _MONTHS_ABOUT_A_YEAR_AND_A_HALF:
        return about + {"en": "a year and a half", "zh": "一年半"}[language]
    years = max(round(days / _DAYS_A_YEAR), 1)
    if years == 1:
        return about + {"en": "a year", "zh": "一年"}[language]
    return about + _amount(years, "year", language)


def _amount(number: int, unit: str, language: str) -> str:
    text = number_text(number, language)
    if language == "en":
        return f"{text} {unit}{'' if number == 1 else 's'}"
    return text + {"day": "天", "month": "个月", "year": "年"}[unit]


def _bare_year(language: str) -> str:
    return {"en": "year", "zh": "一年"}[language]
