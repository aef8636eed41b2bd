"""Compiles .proto files into typed Python modules that work at any place in a package."""

from .compile import StubTree, compile_stubs
from .errors import StubsError
from .floors import version_floors
from .write import differences, write_tree

__all__ = ["StubTree", "StubsError", "compile_stubs", "differences", "version_floors", "write_tree"]
