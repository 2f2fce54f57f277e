"""Which scope a caller needs for each method, as the protos say it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recsvc.access.scopes import Scope
from recsvc.v1 import access_pb2


@dataclass(frozen=True, slots=True)
class MethodAccess:
    """What a method asks of its callers.

    Attributes:
        scope: The scope that they need. None: any valid key or token will do.
        audited: Whether each call is written to the audit log.
    """

    scope: Scope | None
    audited: bool = False


def method_access(files: Iterable[Any]) -> Mapping[str, MethodAccess]:
    """Reads the options of all methods.

    Args:
        files: Descriptors of proto files.

    Returns:
        By the full name of the method, such as "/recsvc.v1.UserService/DeleteUser".

    Raises:
        ValueError: A method has no scope. Nobody could call it.
    """
    methods = {}
    for file in files:
        for service in file.services_by_name.values():
            for method in service.methods:
                options = method.GetOptions().Extensions
                name = access_pb2.Scope.Name(options[access_pb2.scope]).removeprefix("SCOPE_").lower()
                # "unspecified" is no Scope
                methods[f"/{service.full_name}/{method.name}"] = MethodAccess(Scope(name), options[access_pb2.audited])
    return methods
