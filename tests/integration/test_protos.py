"""The protos keep buf's rules, and the committed code is byte for byte what they generate."""

import subprocess
from pathlib import Path

import grpc_tools
import pytest
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "protos/released.binpb"
PROTOS = sorted((ROOT / "protos/recsvc/v1").glob("*.proto"))


def buf(node_modules: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(node_modules / ".bin/buf"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_buf_lint_finds_nothing(node_modules: Path) -> None:
    done = buf(node_modules, "lint", ROOT / "protos")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def changed(folder: Path, before: str, after: str) -> Path:
    """A copy of the protos in which one thing is otherwise."""
    for path in ROOT.joinpath("protos").rglob("*"):
        if path.suffix in (".proto", ".yaml"):
            copy = folder / path.relative_to(ROOT / "protos")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text().replace(before, after))
    return folder


def test_buf_lint_would_find_a_field_in_camel_case(node_modules: Path, tmp_path: Path) -> None:
    done = buf(node_modules, "lint", changed(tmp_path, "string user_id = 1;", "string userId = 1;"))
    assert done.returncode == 100  # buf's code for findings
    assert "userId" in done.stdout


def test_nothing_that_was_released_is_broken(node_modules: Path) -> None:
    done = buf(node_modules, "breaking", ROOT / "protos", "--against", RELEASED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("uint32 k = 2;", "uint32 k = 20;", "k"),
        ("uint32 k = 2;", "uint64 k = 2;", "type"),
        ("  rpc WhyNot(WhyNotRequest)", "  rpc WhyNotAgain(WhyNotRequest)", "WhyNot"),
        ("SURFACE_CART = 3;", "SURFACE_BASKET = 3;", "SURFACE_CART"),
    ],
)
def test_what_breaks_callers_would_be_found(
    node_modules: Path, tmp_path: Path, before: str, after: str, said: str
) -> None:
    done = buf(node_modules, "breaking", changed(tmp_path, before, after), "--against", RELEASED)
    assert done.returncode == 100
    assert said in done.stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make protos` would write, elsewhere."""
    out = tmp_path_factory.mktemp("generated")
    known = Path(grpc_tools.__file__).parent / "_proto"  # google/protobuf/*.proto
    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    assert protoc.main(["", f"-I{ROOT / 'protos'}", f"-I{known}", *outputs, *map(str, PROTOS)]) == 0
    return out / "recsvc/v1"


def test_the_committed_code_is_what_the_protos_generate(generated: Path) -> None:
    committed = ROOT / "recsvc/v1"
    names = {path.name for path in generated.iterdir()}
    assert len(names) == 3 * len(PROTOS)
    assert {path.name for path in committed.glob("*_pb2*.py*")} == names
    different = [name for name in sorted(names) if (generated / name).read_bytes() != (committed / name).read_bytes()]
    assert not different, "run `make protos`"
