"""Writes the API reference, docs/api/*.md, from the comments of protos/recsvc/v1.

    python docs/make_api_reference.py

There is one page for each proto file, and README.md with all methods, the terms and the errors. The Markdown is for
GitHub and for MkDocs: for a heading of one word, both make the anchor from its small letters. Ready-made generators do
not fit: sabledocs writes only HTML and needs protobuf below 7, and md-protobuf fails on Python 3.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from grpc_tools import protoc

from recsvc.v1 import access_pb2  # without it, options would be read as unknown fields

PROTOS = Path(__file__).parents[1] / "protos"
OUT = Path(__file__).parent / "api"
INDEX = "README.md"
CONVENTIONS = "recommendation.proto"  # its header explains the terms and errors of all files: the index shows them
GENERATED = "<!-- Written by docs/make_api_reference.py from the comments in protos/. Edit those instead. -->"

# Field numbers of descriptor.proto: the paths of comments consist of them.
SYNTAX, MESSAGE, ENUM, SERVICE, EXTENSION, METHOD, VALUE, FIELD, ONEOF = 12, 4, 5, 6, 7, 2, 2, 2, 8

_NAME = re.compile(r"`([A-Za-z_]+(?:\.proto)?)(\.\w+)?`")


class ProtoFile:
    """One proto file with its comments, which have paths as in `SourceCodeInfo.Location` of descriptor.proto."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.services, self.messages, self.enums = file.service, file.message_type, file.enum_type
        self.extensions = file.extension
        self.name = Path(file.name).name
        self.page = f"{Path(file.name).stem}.md"
        self._comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}

    def comment(self, *path: int) -> str:
        """The comment of an element, or '' if it has none."""
        return re.sub(r"(?m)^ ", "", self._comments.get(path, "")).strip()

    def undocumented(self) -> Iterator[str]:
        """Yields the name of each element that has no comment."""
        elements: dict[str, tuple[int, ...]] = {self.name: (SYNTAX,)}
        for i, service in enumerate(self.services):
            elements[service.name] = (SERVICE, i)
            elements |= {f"{service.name}.{m.name}": (SERVICE, i, METHOD, j) for j, m in enumerate(service.method)}
        for i, message in enumerate(self.messages):
            elements[message.name] = (MESSAGE, i)
            elements |= {f"{message.name}.{f.name}": (MESSAGE, i, FIELD, j) for j, f in enumerate(message.field)}
            elements |= {f"{message.name}.{o}": (MESSAGE, i, ONEOF, j) for j, o in enumerate(oneofs(message))}
        for i, enum in enumerate(self.enums):
            elements[enum.name] = (ENUM, i)
            elements |= {value.name: (ENUM, i, VALUE, j) for j, value in enumerate(enum.value)}
        elements |= {extension.name: (EXTENSION, i) for i, extension in enumerate(self.extensions)}
        return (name for name, path in elements.items() if not self.comment(*path))


def oneofs(message: DescriptorProto) -> dict[str, list[str]]:
    """The fields of each oneof. The oneofs that protoc adds for `optional` fields are left out; they come last."""
    members: dict[str, list[str]] = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            members.setdefault(message.oneof_decl[field.oneof_index].name, []).append(field.name)
    return members


def read_protos(folder: Path = PROTOS) -> list[ProtoFile]:
    """Compiles all protos in `folder`.

    Raises:
        ValueError: a proto has errors, or has a type within a message, which the pages cannot show.
    """
    known = Path(grpc_tools.__file__).parent / "_proto"  # google/protobuf/*.proto
    sources = sorted(map(str, folder.rglob("*.proto")))
    with tempfile.TemporaryDirectory() as temporary:
        compiled = Path(temporary) / "protos.binpb"
        options = [f"-I{folder}", f"-I{known}", "--include_source_info", f"--descriptor_set_out={compiled}"]
        if protoc.main(["", *options, *sources]) != 0:
            raise ValueError("the protos have errors: see above")
        files = FileDescriptorSet.FromString(compiled.read_bytes()).file
    for message in (message for file in files for message in file.message_type):
        if message.enum_type or any(not nested.options.map_entry for nested in message.nested_type):
            raise ValueError(f"{message.name}: move its inner types out of it")
    return sorted(map(ProtoFile, files), key=lambda file: (file.name != CONVENTIONS, file.name))


class Reference:
    """Makes the pages of proto files."""

    def __init__(self, files: Sequence[ProtoFile]) -> None:
        self._files = files
        # Where each file, service, method, type and enum value is explained.
        self._places = {file.name: file.page for file in files} | {CONVENTIONS: f"{INDEX}#terms-and-errors"}
        for file in files:
            names = [message.name for message in file.messages] + [enum.name for enum in file.enums]
            names += [name for s in file.services for name in (s.name, *(method.name for method in s.method))]
            self._places |= {name: f"{file.page}#{name.lower()}" for name in names}
            self._places |= {value.name: self._places[enum.name] for enum in file.enums for value in enum.value}

    def pages(self) -> dict[str, str]:
        """The text of each page, by the name of its file."""
        return {INDEX: self._index()} | {file.page: self._page(file) for file in self._files}

    def _index(self) -> str:
        rows = []
        for file in self._files:
            for i, service in enumerate(file.services):
                for j, method in enumerate(service.method):
                    first = re.split(r"(?<=\.)\s", file.comment(SERVICE, i, METHOD, j))[0]
                    access = self._access(method)
                    rows.append((self._link(service.name), self._link(method.name), access, self._cell(first)))
        _, _, conventions = next(f for f in self._files if f.name == CONVENTIONS).comment(SYNTAX).partition("\n\n")
        parts = [GENERATED, "# API reference", "The gRPC services of `recsvc.v1`, and what they share."]
        parts += [
            _table(("Service", "Method", "Scope", "Meaning"), rows),
            "## Terms and errors",
            self._text(conventions),
        ]
        return "\n\n".join(parts) + "\n"

    def _page(self, file: ProtoFile) -> str:
        first, _, rest = file.comment(SYNTAX).partition("\n\n")
        rest = f"Terms and errors: `{CONVENTIONS}`." if file.name == CONVENTIONS else rest
        parts = [f"{GENERATED}\n\n# {file.name}", self._text(first), self._text(rest)]
        for i, service in enumerate(file.services):
            parts += [f"## {service.name}", self._text(file.comment(SERVICE, i))]
            for j, method in enumerate(service.method):
                response = f"{'a stream of ' * method.server_streaming}{self._type(method.output_type)}"
                audited = " Each call is written to the audit log." * _option(method, access_pb2.audited)
                parts += [f"### {method.name}", f"Request: {self._type(method.input_type)}. Response: {response}."]
                parts.append(f"Scope: {self._access(method)}.{audited}")
                parts.append(self._text(file.comment(SERVICE, i, METHOD, j)))
        for i, message in enumerate(file.messages):
            parts += [f"## {message.name}", self._text(file.comment(MESSAGE, i))]
            rows = [
                (f"`{name}`", f"one of `{'`, `'.join(of)}`", self._cell(file.comment(MESSAGE, i, ONEOF, j)))
                for j, (name, of) in enumerate(oneofs(message).items())
            ]
            for j, field in enumerate(message.field):
                rows.append(
                    (f"`{field.name}`", self._kind(field, message), self._cell(file.comment(MESSAGE, i, FIELD, j)))
                )
            if rows:
                parts.append(_table(("Field", "Type", "Meaning"), rows))
        for i, enum in enumerate(file.enums):
            parts += [f"## {enum.name}", self._text(file.comment(ENUM, i))]
            comments = (self._cell(file.comment(ENUM, i, VALUE, j)) for j in range(len(enum.value)))
            rows = [(f"`{v.name}`", str(v.number), text) for v, text in zip(enum.value, comments, strict=True)]
            parts.append(_table(("Value", "Number", "Meaning"), rows))
        options = [
            (f"`{option.name}`", self._kind(option, None), self._cell(file.comment(EXTENSION, i)))
            for i, option in enumerate(file.extensions)
        ]
        if options:
            parts += ["## Options", _table(("Option of a method", "Type", "Meaning"), options)]
        return "\n\n".join(parts).replace(f"]({file.page}#", "](#") + "\n"

    def _access(self, method: MethodDescriptorProto) -> str:
        """The scope that a method needs, as a link."""
        return self._link(access_pb2.Scope.Name(_option(method, access_pb2.scope)))

    def _kind(self, field: FieldDescriptorProto, message: DescriptorProto | None) -> str:
        nested = message.nested_type if message is not None else ()
        entry = next((n for n in nested if message and field.type_name.endswith(f".{message.name}.{n.name}")), None)
        if entry is not None:
            key, value = (self._kind(part, message) for part in entry.field)
            return f"map of {key} to {value}"
        name = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        kind = self._type(field.type_name) if field.type_name else f"`{name}`"
        repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
        return f"list of {kind}" if repeated else f"optional {kind}" if field.proto3_optional else kind

    def _type(self, full_name: str) -> str:
        name = full_name.removeprefix(".")
        return self._link(name.rpartition(".")[2]) if name.startswith("recsvc.") else f"`{name}`"

    def _link(self, name: str) -> str:
        return f"[`{name}`]({self._places[name]})"

    def _text(self, comment: str) -> str:
        """A comment as Markdown: an empty line stands before each list, and known names in backticks are links."""
        listed = re.sub(r"(?m)^(?!- |  )(.+)\n- ", r"\1\n\n- ", comment)
        return _NAME.sub(self._linked, listed)

    def _linked(self, name: re.Match[str]) -> str:
        place = self._places.get((name[2] or "")[1:]) or self._places.get(name[1])
        return f"[{name[0]}]({place})" if place else name[0]

    def _cell(self, comment: str) -> str:
        """A comment as one line, for a table: <br> stands before each point and between paragraphs."""
        text = re.sub(r"\n+- ", "<br>• ", self._text(comment).replace("|", r"\|"))
        return " ".join(text.replace("\n\n", "<br><br>").split())


def _option(method: MethodDescriptorProto, extension: Any) -> Any:  # noqa: ANN401 - stubs type extensions by halves
    return method.options.Extensions[extension]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Writes the pages, and removes the pages of protos that are gone."""
    files = read_protos()
    if missing := [name for file in files for name in file.undocumented()]:
        raise SystemExit(f"without a comment: {', '.join(missing)}")
    pages = Reference(files).pages()
    OUT.mkdir(exist_ok=True)
    for old in set(OUT.glob("*.md")) - {OUT / name for name in pages}:
        old.unlink()
    for name, text in pages.items():
        (OUT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
