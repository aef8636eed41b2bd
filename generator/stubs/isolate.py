"""Gives generated modules a descriptor pool of their own."""

from importlib.resources import files

from .modules import POOL_MODULE

# What protoc's output takes from the runtime to register itself; _pool.py offers the same names, privately.
_SHARED = {
    "from google.protobuf import descriptor_pool as _descriptor_pool": "_descriptor_pool",
    "from google.protobuf import symbol_database as _symbol_database": "_symbol_database",
    "from google.protobuf.internal import builder as _builder": "_builder",
}

_BOOTSTRAP = "google.protobuf.descriptor_pb2"
_PURE_PYTHON = "if not _descriptor._USE_C_DESCRIPTORS:"


def isolate(text: str, module: str) -> str:
    """Makes a *_pb2.py register in the private pool.

    Args:
        text: source of the module as protoc wrote it.
        module: the module's dotted name, below the folder that holds _pool.py.
    """
    dots = "." * (module.count(".") + 1)
    lines = text.split("\n")
    if module == _BOOTSTRAP:
        # The pure Python runtime cannot parse this file before it exists, so protoc spells its descriptors out for it,
        # in the default pool. Here it does exist: the runtime's own.
        lines = _without_bootstrap(lines)
    # These lines stand near the top; a comment of the .proto never gets into this file.
    for index, line in enumerate(lines):
        if line in _SHARED:
            lines[index] = f"from {dots} import {POOL_MODULE} as {_SHARED[line]}"
        if line.startswith("DESCRIPTOR = "):
            break
    return "\n".join(lines)


def _without_bootstrap(lines: list[str]) -> list[str]:
    starts = [n for n, line in enumerate(lines) if line == _PURE_PYTHON]
    for start in starts:
        if lines[start + 1].startswith(("  DESCRIPTOR = ", "  _")) and "_globals" not in lines[start + 1]:
            lines[start] = "if False:"
    return lines


def pool_source() -> str:
    """Returns the source of _pool.py."""
    return (files(__package__) / "private_pool.py").read_text(encoding="utf-8")
