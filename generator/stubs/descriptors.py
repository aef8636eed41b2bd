"""Reads .proto files into descriptors and tells those of the tree from those of others."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from .descriptor_sets import parse_descriptor_set
from .errors import StubsError
from .installed import compiled_descriptors, package_folders
from .modules import module_of, path_of
from .protoc import run_protoc, well_known_protos
from .sources import SourceTree, find_sources, undecodable_lines, with_unix_newlines


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


def read_tree(roots: Sequence[Path], files: list[str]) -> ProtoSet:
    """Parses files of one or more folders and all that they import.

    Args:
        roots: the folders that imports are relative to.
        files: the files, named relative to a root or to the working directory; all .proto files when empty.

    Raises:
        StubsError: a folder or file is missing, or protoc finds an error.
    """
    tree = find_sources(roots)
    own = [name for name in tree.files if not _well_known(name)]
    names = [tree.name_of(file) for file in files] or own
    if not names:
        where = " or ".join(str(root) for root in roots)
        raise StubsError(f"{where}: no .proto file in this folder: give --proto the folder that holds them")
    with tempfile.TemporaryDirectory() as folder:
        data, warnings = _compiled(tree, names, Path(folder))
    descriptors, damaged = parse_descriptor_set(data)
    warnings += [line for name in damaged for line in _replaced(name, tree.files.get(name))]
    return _divide(descriptors, lambda name: name in tree.files and not _well_known(name), warnings)


def _compiled(tree: SourceTree, names: list[str], folder: Path) -> tuple[bytes, list[str]]:
    """Returns the serialized descriptor set of files and what they import, and protoc's warnings."""
    result, installed, copies = folder / "result", folder / "installed", folder / "copies"
    installed.write_bytes(compiled_descriptors(tree.files.values()).SerializeToString())
    copies.mkdir()
    copied = set(with_unix_newlines(tree, copies))
    # Links, since protoc takes a colon in a path for the end of the path.
    links = {folder / f"root{number}": root for number, root in enumerate(tree.roots)}
    for link, root in links.items():
        link.symlink_to(root.resolve(), target_is_directory=True)
    paths = [copies, *links, Path(well_known_protos()), *package_folders()]
    given = [copies / name if name in copied else _below(links, name) for name in names]
    spoken = {f"{link}/": f"{root}/" for link, root in [*links.items(), (copies, tree.roots[0])]}
    warnings = run_protoc(
        [
            *(f"--proto_path={path}" for path in paths),
            f"--descriptor_set_in={installed}",
            f"--descriptor_set_out={result}",
            "--include_imports",
            "--include_source_info",
            # Options that hold for the source only, such as the naming style: the second run reads them again.
            "--retain_options",
            # As paths, since protoc prefers a file of the working directory to one of the proto path.
            *map(str, given),
        ],
        spoken,
    )
    return result.read_bytes(), warnings


def _below(links: Mapping[Path, Path], name: str) -> Path:
    return next(link / name for link in links if (link / name).is_file())


def _replaced(name: str, path: Path | None) -> list[str]:
    text = "not UTF-8; U+FFFD stands for the characters that cannot be decoded"
    lines = undecodable_lines(path) if path else []
    return [f"{name}:{line}: warning: this line is {text}." for line in lines] or [
        f"{name}: warning: its comments are {text}."
    ]


def read_descriptor_set(path: Path, files: list[str]) -> ProtoSet:
    """Reads a serialized FileDescriptorSet, such as `buf build` and `protoc --descriptor_set_out` write.

    Args:
        path: the file; its set must hold the imports, and should hold source information for the comments.
        files: names of the files to compile, as they stand in the set; all that no installed package has, when empty.

    Raises:
        StubsError: the file cannot be read, or lacks a file.
    """
    try:
        descriptors, damaged = parse_descriptor_set(path.read_bytes())
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
        descriptors = type(descriptors)(file=[file for file in descriptors.file if file.name in wanted])
    warnings = [line for name in damaged for line in _replaced(name, None)]
    return _divide(descriptors, lambda name: not _well_known(name) and not _installed(name), warnings)


def without_json_names(descriptors: FileDescriptorSet) -> FileDescriptorSet:
    """Returns a copy without the JSON names that protoc derived from the fields' own.

    protoc adds them when it writes a descriptor set, and would then embed them in the Python module: it does not when
    it compiles from source.
    """
    copy = deepcopy(descriptors)
    for field in (field for file in copy.file for field in fields_of(file)):
        if field.json_name == _json_name(field.name):
            field.ClearField("json_name")
    return copy


def fields_of(file: FileDescriptorProto) -> Iterator[FieldDescriptorProto]:
    """Yields all fields and extensions of a file, those of nested messages too."""
    yield from file.extension
    messages = list(file.message_type)
    while messages:
        message = messages.pop()
        messages += message.nested_type
        yield from message.field
        yield from message.extension


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


def _well_known(name: str) -> bool:
    return (Path(well_known_protos()) / name).is_file()


def _installed(name: str) -> bool:
    path = path_of(module_of(name), ".py")
    return any((folder / path).is_file() for folder in package_folders())
