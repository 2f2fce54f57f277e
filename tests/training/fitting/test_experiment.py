"""Preparing a shop: the text encoder that the settings leave open is chosen, said, and recorded."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.recsvc.stored_bundle import STORED_BUNDLE
from training.config import TrainConfig
from training.fitting.experiment import prepare
from training.fitting.stages import Stages

EVENTS = "user_id,item_id,timestamp,event_type\n" + "".join(
    f"u{user},i{item},2024-01-0{1 + item},purchase\n" for user in range(4) for item in range(4)
)
SHOPS = {
    "multilingual": ("跑步鞋", "不锈钢水壶", "登山背包", "羊毛袜子"),
    "embedded": ("Boots for walking", "Kettle of steel", "Bag with straps", "Socks for men"),
}


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stages(tmp_path: Path, output: io.StringIO) -> Stages:
    return Stages(tmp_path / "stages", Console(file=output, width=200))


def write_tables(folder: Path, titles: tuple[str, ...]) -> Path:
    (folder / "events.csv").write_text(EVENTS)
    items = "".join(f"i{i},{title}\n" for i, title in enumerate(titles))
    (folder / "items.csv").write_text(f"item_id,title\n{items}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("encoder", SHOPS)
def test_the_encoder_is_chosen_by_the_catalogue_and_the_line_says_why(
    encoder: str, tmp_path: Path, stages: Stages, output: io.StringIO
) -> None:
    data = write_tables(tmp_path, SHOPS[encoder])
    text = prepare(data, TrainConfig(protocol="leave-one-out"), stages).text
    assert (text.encoder_name, text.encoder.dim) == (encoder, {"multilingual": 512, "embedded": 384}[encoder])
    lines = [line.strip() for line in output.getvalue().splitlines() if line.startswith("  text encoder")]
    assert len(lines) == 1
    assert lines[0].startswith(f"text encoder {encoder}: ")
    assert ("Chinese" if encoder == "multilingual" else "English") in lines[0]


def test_a_named_encoder_is_taken_without_a_line(tmp_path: Path, stages: Stages, output: io.StringIO) -> None:
    data = write_tables(tmp_path, SHOPS["embedded"])
    config = TrainConfig(protocol="leave-one-out", text_encoder="multilingual")
    assert prepare(data, config, stages).text.encoder_name == "multilingual"
    assert "text encoder" not in output.getvalue()


def test_a_warm_start_keeps_the_encoder_of_the_earlier_bundle(
    tmp_path: Path, stages: Stages, output: io.StringIO
) -> None:
    data = write_tables(tmp_path, SHOPS["multilingual"])
    config = TrainConfig(protocol="leave-one-out", text_dim=16, sequence_dim=16)
    prepared = prepare(data, config, stages, STORED_BUNDLE)
    assert prepared.text.encoder_name == "embedded"
    assert "text encoder embedded: the towers start from" in output.getvalue()
