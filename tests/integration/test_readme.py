"""What the README tells people to type works as it stands there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from recsvc.pipeline.placements import Placements
from tests.integration.conftest import ROOT
from tests.service_process import ServiceProcess

ADDRESS = "127.0.0.1:50051"
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def service(small_bundle: Path, tmp_path: Path) -> ServiceProcess:
    process = ServiceProcess(small_bundle, tmp_path / "data", store_timeout=5)
    yield process
    process.kill()


def test_the_python_of_the_readme_runs(service: ServiceProcess, capsys: pytest.CaptureFixture[str]) -> None:
    first, surfaces, copy, ranking = blocks("python")
    assert ranking.startswith("def rank(")
    names: dict[str, object] = {}
    for block in (first, surfaces, copy):
        exec(block.replace(ADDRESS, service.address), names)  # noqa: S102  it is ours
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[:5]] == ["1", "2", "3", "4", "5"]
    assert {"title.v1", "description.v1", "campaign.v1"} <= {line.split()[0] for line in printed[5:]}


def test_the_javascript_of_the_readme_runs(service: ServiceProcess, node_modules: Path, tmp_path: Path) -> None:
    [block] = blocks("js")
    script = tmp_path / "readme.js"
    script.write_text(block.replace(ADDRESS, service.address) + "\nsetTimeout(() => process.exit(0), 8000);\n")
    environment = {**os.environ, "NODE_PATH": str(node_modules)}
    command = ["node", str(script)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Error" not in done.stdout
    assert done.stdout.count("recommendation_id") >= 10
    assert "gift_item_ids: [ 'i00001' ]" in done.stdout


def test_the_placements_of_the_readme_are_read(tmp_path: Path) -> None:
    [block] = blocks("toml")
    file = tmp_path / "shop.toml"
    file.write_text(block)
    assert Placements.load(file).names == {("", ""), ("home", "control"), ("home", "diverse"), ("basket", "control")}
