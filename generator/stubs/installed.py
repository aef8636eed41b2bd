"""Finds the .proto files of installed packages, also of those that ship only the compiled modules."""

import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from .modules import module_of

_IMPORT = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"]+\.proto)"\s*;', re.MULTILINE)


def package_folders() -> list[Path]:
    """Returns the folders of this interpreter that packages with .proto files are installed in."""
    return [Path(entry) for entry in sys.path if entry.endswith("-packages") and Path(entry).is_dir()]


def compiled_descriptors(sources: Iterable[Path]) -> FileDescriptorSet:
    """Returns descriptors of imported files that are installed as Python modules without their .proto files.

    grpcio-health-checking is such a package. Candidates are the import lines of `sources`; one in a comment does no
    harm, since protoc takes from the result only what it needs.
    """
    names = {name for source in sources for name in _IMPORT.findall(source.read_text("utf-8", errors="replace"))}
    folders = package_folders()
    found = FileDescriptorSet()
    added: set[str] = set()
    for name in sorted(names):
        path = module_of(name).replace(".", "/") + ".py"
        if any((folder / path).is_file() and not (folder / name).is_file() for folder in folders):
            _add(importlib.import_module(module_of(name)).DESCRIPTOR, found, added)
    return found


def _add(file: FileDescriptor, found: FileDescriptorSet, added: set[str]) -> None:
    if file.name not in added:
        added.add(file.name)
        for dependency in file.dependencies:
            _add(dependency, found, added)
        file.CopyToProto(found.file.add())
