"""Reads .proto files into descriptors and tells those of the tree from those of others."""

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from .errors import StubsError
from .installed import compiled_descriptors, package_folders
from .modules import module_of, path_of
from .protoc import run_protoc, well_known_protos


@dataclass(frozen=True)
class ProtoSet:
    """Parsed files with all that they import.

    Attributes:
        descriptors: the files, imports before importers, with source information.
        own: names of the files of the tree itself.
        foreign: names of the others: well-known types and files of installed packages.
        warnings: what protoc warned of.
    """

    descriptors: FileDescriptorSet
    own: list[str]
    foreign: list[str]
    warnings: list[str]


def read_tree(root: Path, files: list[str]) -> ProtoSet:
    """Parses files of a folder and all that they import.

    Args:
        root: the folder that imports are relative to.
        files: the files, named relative to `root` or to the working directory; all .proto files when empty.

    Raises:
        StubsError: a folder or file is missing, or protoc finds an error.
    """
    if not root.is_dir():
        raise StubsError(f"{root}: no such folder: give --proto the folder that the imports are relative to")
    tree = [path for path in _protos_below(root) if not _well_known(path)]
    names = [_name_in(root, file) for file in files] or tree
    if not names:
        raise StubsError(f"{root}: no .proto file in this folder: give --proto the folder that holds them")
    with tempfile.TemporaryDirectory() as folder:
        result, installed = Path(folder, "result"), Path(folder, "installed")
        installed.write_bytes(compiled_descriptors(root / name for name in tree).SerializeToString())
        paths = [root, Path(well_known_protos()), *package_folders()]
        warnings = run_protoc(
            [
                *(f"--proto_path={path}" for path in paths),
                f"--descriptor_set_in={installed}",
                f"--descriptor_set_out={result}",
                "--include_imports",
                "--include_source_info",
                # As paths, since protoc prefers a file of the working directory to one of the proto path.
                *(str(root / name) for name in names),
            ]
        )
        descriptors = FileDescriptorSet.FromString(result.read_bytes())
    return _divide(descriptors, lambda name: name in tree, warnings)


def read_descriptor_set(path: Path, files: list[str]) -> ProtoSet:
    """Reads a serialized FileDescriptorSet, such as `buf build` and `protoc --descriptor_set_out` write.

    Args:
        path: the file; its set must hold the imports, and should hold source information for the comments.
        files: names of the files to compile, as they stand in the set; all that no installed package has, when empty.

    Raises:
        StubsError: the file cannot be read, or lacks a file.
    """
    try:
        descriptors = FileDescriptorSet.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise StubsError(f"{path}: not a readable descriptor set ({error}): write one with buf build -o") from error
    by_name = {file.name: file for file in descriptors.file}
    missing = [name for name in files if name not in by_name]
    missing += [name for file in descriptors.file for name in file.dependency if name not in by_name]
    if missing:
        raise StubsError(*(f"{path}: {name} is not in the set: write it with --include_imports" for name in missing))
    wanted: dict[str, None] = dict.fromkeys(files or by_name)
    if files:
        for name in wanted.copy():
            _with_imports(name, by_name, wanted)
        descriptors = FileDescriptorSet(file=[file for file in descriptors.file if file.name in wanted])
    return _divide(descriptors, lambda name: not _well_known(name) and not _installed(name), [])


def without_json_names(descriptors: FileDescriptorSet) -> FileDescriptorSet:
    """Returns a copy without the JSON names that protoc derived from the fields' own.

    protoc adds them when it writes a descriptor set, and would then embed them in the Python module: it does not when
    it compiles from source.
    """
    copy = FileDescriptorSet()
    copy.CopyFrom(descriptors)
    for file in copy.file:
        messages = list(file.message_type)
        fields = list(file.extension)
        while messages:
            message = messages.pop()
            messages += message.nested_type
            fields += [*message.field, *message.extension]
        for field in fields:
            if field.json_name == _json_name(field.name):
                field.ClearField("json_name")
    return copy


def _json_name(name: str) -> str:
    return re.sub(r"_+([^_]?)", lambda match: match[1].upper(), name)


def _with_imports(name: str, by_name: Mapping[str, FileDescriptorProto], wanted: dict[str, None]) -> None:
    for dependency in by_name[name].dependency:
        if dependency not in wanted:
            wanted[dependency] = None
            _with_imports(dependency, by_name, wanted)


def _divide(descriptors: FileDescriptorSet, is_own: Callable[[str], bool], warnings: list[str]) -> ProtoSet:
    names = [file.name for file in descriptors.file]
    own = [name for name in names if is_own(name)]
    return ProtoSet(descriptors, own, [name for name in names if name not in own], warnings)


def _protos_below(root: Path) -> list[str]:
    names = [path.relative_to(root) for path in root.rglob("*.proto") if path.is_file()]
    # Hidden folders hold environments and caches, not the tree.
    return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))


def _well_known(name: str) -> bool:
    return (Path(well_known_protos()) / name).is_file()


def _installed(name: str) -> bool:
    path = path_of(module_of(name), ".py")
    return any((folder / path).is_file() for folder in package_folders())


def _name_in(root: Path, file: str) -> str:
    path = Path(file).resolve()
    if path.is_file() and path.is_relative_to(root.resolve()):
        return path.relative_to(root.resolve()).as_posix()
    if (root / file).is_file():
        return Path(file).as_posix()
    raise StubsError(f"{file}: no such file in {root}: name files relative to the --proto folder")
