"""The generated code fits the installed generator and runtime, and the committed protos."""

import re
from importlib.metadata import version
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from recsvc.v1 import (
    access_pb2,
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    reason_pb2,
    recommendation_pb2,
    users_pb2,
)

ROOT = Path(__file__).parents[2]
FILES = [
    access_pb2,
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    reason_pb2,
    recommendation_pb2,
    users_pb2,
]


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("path", sorted((ROOT / "recsvc" / "v1").glob("*_pb2_grpc.py")), ids=lambda path: path.name)
def test_stubs_are_of_the_installed_generator_and_runtime(path):
    [stamped] = re.findall(r"GRPC_GENERATED_VERSION = '([\d.]+)'", path.read_text())
    assert stamped == version("grpcio") == version("grpcio-tools")
    [needed] = re.findall(
        r"Protobuf Python Version: ([\d.]+)", path.with_name(path.name.replace("_grpc", "")).read_text()
    )
    assert numbers(version("protobuf")) >= numbers(needed)


def test_the_requirements_exclude_runtimes_that_are_too_old_for_the_stubs():
    requirements = (ROOT / "pyproject.toml").read_text()
    [stamped] = set(re.findall(r"'([\d.]+)'", (ROOT / "recsvc/v1/users_pb2_grpc.py").read_text()))
    for package in ("grpcio", "grpcio-health-checking", "grpcio-reflection", "grpcio-status", "grpcio-tools"):
        assert f'"{package}>={stamped}"' in requirements
    [needed] = re.findall(r"Protobuf Python Version: ([\d.]+)", (ROOT / "recsvc/v1/users_pb2.py").read_text())
    assert f'"protobuf>={needed}"' in requirements


def test_the_committed_code_is_generated_from_the_committed_protos(tmp_path):
    out = tmp_path / "files.binpb"
    protos = sorted(str(path) for path in (ROOT / "protos/recsvc/v1").glob("*.proto"))
    google_protos = Path(grpc_tools.__file__).parent / "_proto"  # google/protobuf/*.proto
    assert protoc.main(["", f"-I{ROOT / 'protos'}", f"-I{google_protos}", f"--descriptor_set_out={out}", *protos]) == 0
    compiled = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file}
    assert len(compiled) == len(FILES)
    for module in FILES:
        committed = descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        compiled[committed.name].ClearField("source_code_info")
        for file in (committed, compiled[committed.name]):
            clear_json_names(file)
        assert committed == compiled[committed.name]


def clear_json_names(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Removes the JSON names. Only protoc writes them, and they follow from the names of the fields."""
    inner = (nested for message in file.message_type for nested in (message, *message.nested_type))  # a map is nested
    for field in (*file.extension, *(field for message in inner for field in message.field)):
        field.ClearField("json_name")
