"""Names: from a .proto file to the Python modules that protoc writes for it."""

import keyword
from collections.abc import Iterable

from .errors import StubsError

POOL_MODULE = "_pool"

SUFFIXES = (".py", ".pyi", "_grpc.py", "_grpc.pyi")
"""What follows a module's path in the names of the files that are made from one .proto file."""


def module_of(proto: str) -> str:
    """Returns the dotted name of the module that protoc writes: "a/b-c.proto" gives "a.b_c_pb2"."""
    return proto.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def path_of(module: str, suffix: str) -> str:
    """Returns the module's path: ("a.b_pb2", "_grpc.py") gives "a/b_pb2_grpc.py"."""
    return module.replace(".", "/") + suffix


def unimportable(segment: str) -> str | None:
    """Returns why a package or module of this name cannot be imported, None when it can."""
    if keyword.iskeyword(segment):
        return f'"{segment}" is a Python keyword and cannot be imported'
    return None if segment.isidentifier() else f'"{segment}" is not a Python identifier and cannot be imported'


def check_names(protos: Iterable[str], *, isolated: bool) -> None:
    """Refuses files whose modules could not be imported.

    Args:
        protos: the files' names.
        isolated: the module of the private pool is written beside them.

    Raises:
        StubsError: a folder or file name is a keyword or no identifier, or two files give one module.
    """
    problems: list[str] = []
    owners: dict[str, str] = {}
    for proto in protos:
        module = module_of(proto)
        if proto.startswith("-"):
            problems.append(f"{proto}: begins with a dash, which protoc takes for an option: rename the path")
        if isolated and module.split(".")[0] == POOL_MODULE:
            problems.append(
                f"{proto}: {POOL_MODULE} is the module of the private descriptor pool: rename the folder, or take "
                "--shared-pool"
            )
        problems += [f"{proto}: {why}: rename the path" for why in map(unimportable, module.split(".")) if why]
        if module in owners:
            problems.append(f"{proto}: gives the same Python module as {owners[module]}, {module}: rename one of them")
        owners.setdefault(module, proto)
    for module, proto in owners.items():
        parts = module.split(".")
        for end in range(1, len(parts)):
            owner = owners.get(".".join(parts[:end]))
            if owner:
                problems.append(f"{proto}: its folder has the name of the module made from {owner}: rename one of them")
    if problems:
        raise StubsError(*problems)
