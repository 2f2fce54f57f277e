"""A kept result is used again after a file moves or a comment changes, and never after the code behind it changed."""

from pathlib import Path

import grimp
import pytest

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


@pytest.mark.parametrize("module", ["training.fitting.block_trainer", "training.fitting.text_features"])
def test_the_modules_of_a_stage_are_those_of_the_import_graph(module: str) -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert CodeGraph.of_packages(*PACKAGES).modules(module) == graph.find_upstream_modules(module) | {module}


def test_reports_and_commands_are_no_part_of_a_stage() -> None:
    reached = CodeGraph.of_packages(*PACKAGES).modules("training.fitting.block_trainer")
    assert {"recsvc.model.bundle", "recsvc.domain.shop", "training.data.shop", "training.fitting.next_item"} <= reached
    assert (
        not {
            "training.evaluation.report",
            "training.evaluation.evaluate",
            "training.train",
            "training.reason_evaluation.truth",
        }
        & reached
    )
