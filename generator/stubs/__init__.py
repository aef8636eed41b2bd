"""Compiles .proto files into typed Python modules that work at any place in a package."""

from .compile import StubTree, compile_stubs
from .errors import StubsError
from .floors import version_floors
from .packages import with_package_root
from .write import differences, remove, stale_files, write_tree

__all__ = [
    "StubTree",
    "StubsError",
    "compile_stubs",
    "differences",
    "remove",
    "stale_files",
    "version_floors",
    "with_package_root",
    "write_tree",
]
