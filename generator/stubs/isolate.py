"""Gives generated modules a descriptor pool of their own."""

from importlib.resources import files

POOL_MODULE = "_pool"

# What protoc's output takes from the runtime to register itself; _pool.py offers the same names, privately.
_SHARED = {
    "from google.protobuf import descriptor_pool as _descriptor_pool": "_descriptor_pool",
    "from google.protobuf import symbol_database as _symbol_database": "_symbol_database",
    "from google.protobuf.internal import builder as _builder": "_builder",
}


def isolate(text: str, module: str) -> str:
    """Makes a *_pb2.py register in the private pool.

    Args:
        text: source of the module as protoc wrote it.
        module: the module's dotted name, below the folder that holds _pool.py.
    """
    dots = "." * (module.count(".") + 1)
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if line in _SHARED:
            lines[index] = f"from {dots} import {POOL_MODULE} as {_SHARED[line]}"
        if line.startswith(("DESCRIPTOR = ", "if not _descriptor._USE_C_DESCRIPTORS")):
            break
    return "\n".join(lines)


def pool_source() -> str:
    """Returns the source of _pool.py."""
    return (files(__package__) / "private_pool.py").read_text(encoding="utf-8")
