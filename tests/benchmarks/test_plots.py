"""Pictures show the figures that they are drawn from, and the same figures give the same file."""

import re

from tests.benchmarks import plots

CURVES = {"echo": [{"load": 0.1, "p50_ms": 0.5, "p99_ms": 2.0}], "ours": [{"load": 0.1, "p50_ms": 3.0, "p99_ms": 9.0}]}
COSTS = {
    "echo": {"rounds": [{"cpu_us": {"server": 300.0}}]},
    "ours": {"rounds": [{"cpu_us": {"server": us, "redis": 30.0}} for us in (1_000.0, 1_170.0, 1_500.0)]},
}
MEMORY = [
    {"items": 1e5, "own_bytes": 332e6, "mapped_bytes": 410e6},
    {"items": 1e6, "own_bytes": 480e6, "mapped_bytes": 2.9e9},
]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def pictures() -> list[str]:
    return [
        plots.latency_plot(CURVES, {"echo": 3_000, "ours": 600}, "ours"),
        plots.memory_plot(MEMORY),
        plots.cost_plot(COSTS, "ours"),
    ]


def test_the_same_figures_give_the_same_picture() -> None:
    assert pictures() == pictures()


def test_pictures_have_no_date_and_one_font() -> None:
    for svg in pictures():
        assert "<metadata>" not in svg
        assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"sans-serif"}


def test_axes_have_names_and_units() -> None:
    latency, memory, cost = (texts(svg) for svg in pictures())
    assert {"latency, ms", "load, % of the server's peak", "ours: peak 600/s", "echo: peak 3,000/s"} <= set(latency)
    assert {"memory, MB", "items", "100k", "1M", "332", "2,900"} <= set(memory)
    assert {"processor time of a million calls, seconds", "ours", "300 s", "1,200 s"} <= set(cost)


def test_a_price_stands_beside_the_time() -> None:
    cost = texts(plots.cost_plot(COSTS, "ours", price=0.06))
    assert "1,200 s, 0.02" in cost  # 1,200 / 3,600 of .06
    assert "processor time of a million calls, seconds, and money at 0.06 a core-hour" in cost
