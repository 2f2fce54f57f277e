"""A kept result is used again after a file moves or a comment changes, and never after the code behind it changed."""

from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.training.fitting.declared_stages import declared_stages
from training.fitting.stage import Stage
from training.fitting.stage_code import PACKAGES, CodeGraph

FILES = {
    "shop/__init__.py": "",
    "shop/stage.py": "from shop.maths import double\nimport numpy as np\n\ndef run():\n    return double(np.ones(3))\n",
    "shop/maths.py": 'from shop import scale\n\ndef double(x):\n    """Twice x."""\n    return x * scale.TWO\n',
    "shop/scale.py": "TWO = 2\n",
    "shop/report.py": "from shop.stage import run\n\nTITLE = 'results'\n",
}


def fingerprint(folder: Path, files: dict[str, str], module: str = "shop.stage") -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return CodeGraph({"shop": folder / "shop"}).fingerprint(module)


def edited(name: str, before: str, after: str) -> dict[str, str]:
    assert before in FILES[name]
    return {**FILES, name: FILES[name].replace(before, after)}


MOVED = {
    **{name: text for name, text in FILES.items() if name not in ("shop/maths.py", "shop/scale.py")},
    "shop/room/__init__.py": '"""A room."""\n',
    "shop/room/arithmetic.py": FILES["shop/maths.py"].replace("from shop import", "from shop.room import"),
    "shop/room/scale.py": FILES["shop/scale.py"],
    "shop/stage.py": FILES["shop/stage.py"].replace("shop.maths", "shop.room.arithmetic"),
}


@pytest.mark.parametrize(
    "files",
    [
        MOVED,
        edited("shop/report.py", "results", "figures"),
        edited("shop/maths.py", "Twice x.", "x times two."),
        edited("shop/maths.py", "    return", "    # why\n\n    return"),
    ],
    ids=["file moved", "module that the stage does not reach", "docstring", "comment"],
)
def test_a_change_that_changes_no_result_keeps_the_fingerprint(tmp_path: Path, files: dict[str, str]) -> None:
    assert fingerprint(tmp_path / "before", FILES) == fingerprint(tmp_path / "after", files)


@pytest.mark.parametrize(
    "files",
    [
        edited("shop/stage.py", "np.ones(3)", "np.ones(4)"),
        edited("shop/maths.py", "x * scale.TWO", "x + scale.TWO"),
        edited("shop/scale.py", "TWO = 2", "TWO = 2.0"),
        edited("shop/stage.py", "import numpy as np", "import torch as np"),
        {**edited("shop/stage.py", "from shop.maths", "from shop.other"), "shop/other.py": "def double(x): return x\n"},
        edited("shop/stage.py", "import double", "import scale as double"),
    ],
    ids=["the stage", "a module it imports", "a module of that one", "library", "name from elsewhere", "another name"],
)
def test_a_change_that_may_change_the_result_changes_the_fingerprint(tmp_path: Path, files: dict[str, str]) -> None:
    assert fingerprint(tmp_path / "before", FILES) != fingerprint(tmp_path / "after", files)


def test_a_module_of_no_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"shop\.missing"):
        fingerprint(tmp_path, FILES, "shop.missing")


STAGES = declared_stages()
# What no stage may reach: a change there would fit the blocks again for nothing.
OUTSIDE = (
    "training.evaluation",
    "training.reason_evaluation",
    "training.off_policy",
    "training.demo",
    "training.train",
)
RUNNERS = {"training.fitting.stages", "training.fitting.block_trainer", "training.fitting.experiment"}


@cache
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def reached_by(stage: Stage[Any]) -> set[str]:
    return CodeGraph.of_packages(*PACKAGES).modules(stage.compute.__module__)


def test_every_block_with_arrays_to_learn_has_a_stage() -> None:
    assert set(STAGES) == {"als", "co-visitation", "neighbours", "repeats", "sequence", "text", "text features"}


def test_no_two_stages_share_the_module_that_computes_them() -> None:
    modules = [stage.compute.__module__ for stage in STAGES.values()]
    assert len(set(modules)) == len(modules)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_the_modules_of_a_stage_are_those_of_the_import_graph(stage: Stage[Any]) -> None:
    module = stage.compute.__module__
    assert reached_by(stage) == import_graph().find_upstream_modules(module) | {module}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_reaches_no_evaluation_report_or_command(stage: Stage[Any]) -> None:
    reached = reached_by(stage)
    assert not [module for module in reached if module.startswith(OUTSIDE)]
    commands = {"train", "tune", "benchmark", "evaluate_reasons", "write_content", "export_events", "backfill"}
    assert not {f"training.{command}" for command in commands} & reached


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_reaches_nothing_that_runs_or_prints_stages(stage: Stage[Any]) -> None:
    assert not RUNNERS & reached_by(stage)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_reaches_what_the_arrays_of_a_bundle_mean(stage: Stage[Any]) -> None:
    assert {"training.config", "training.fitting.stage", "recsvc.domain.arrays", "recsvc.domain.shop"} <= reached_by(
        stage
    )


TOWER_CODE = {"training.fitting.next_item", "training.fitting.early_stopping", "training.fitting.tower_fit"}


@pytest.mark.parametrize(
    ("name", "reaches", "reaches_not"),
    [
        ("als", {"training.data.interactions"}, {*TOWER_CODE, "training.fitting.text_features"}),
        ("co-visitation", {"training.data.interactions"}, {*TOWER_CODE, "training.fitting.collaborative"}),
        ("repeats", {"training.data.split", "recsvc.model.repeat_purchase"}, TOWER_CODE),
        ("text features", {"recsvc.model.lexical"}, {*TOWER_CODE, "training.fitting.text_tower"}),
        (
            "text",
            {*TOWER_CODE, "training.fitting.text_features", "recsvc.model.towers.text"},
            {"training.fitting.collaborative", "training.fitting.sequence_tower"},
        ),
        (
            "sequence",
            {*TOWER_CODE, "recsvc.model.towers.sequence"},
            {"training.fitting.collaborative", "training.fitting.text_tower", "training.fitting.text_features"},
        ),
    ],
)
def test_a_stage_reaches_its_own_block_and_no_other(name: str, reaches: set[str], reaches_not: set[str]) -> None:
    reached = reached_by(STAGES[name])
    assert reaches <= reached
    assert not reaches_not & reached
