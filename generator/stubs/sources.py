"""The .proto files on disk: which there are below the roots, and copies of those that protoc would misread."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import StubsError


@dataclass(frozen=True)
class SourceTree:
    """The .proto files below one or more roots.

    Attributes:
        roots: folders that imports are relative to, the first match counts, as with protoc's -I.
        files: the file on disk by the name that imports use.
    """

    roots: Sequence[Path]
    files: dict[str, Path]

    def name_of(self, file: str) -> str:
        """Returns the import name of a file that is named relative to a root or to the working directory.

        Raises:
            StubsError: no root holds the file.
        """
        path = Path(os.path.abspath(file))
        for root in self.roots if path.is_file() else ():
            # Only the folder is resolved: a symbolic link below a root belongs to that root, wherever it points.
            for parent in path.parents:
                if parent.resolve() == root.resolve():
                    return path.relative_to(parent).as_posix()
        for root in self.roots:
            if (root / file).is_file():
                return Path(os.path.normpath(file)).as_posix()
        where = " or ".join(str(root) for root in self.roots)
        raise StubsError(f"{file}: no such file in {where}: name files relative to the --proto folder")


def find_sources(roots: Sequence[Path]) -> SourceTree:
    """Finds all .proto files below the roots; symbolic links are followed.

    Args:
        roots: the folders that imports are relative to. A root inside another one is not searched as a part of it.

    Raises:
        StubsError: a root is no folder.
    """
    problems = [
        f"{root}: no such folder: give --proto the folder that the imports are relative to"
        for root in roots
        if not root.is_dir()
    ]
    if problems:
        raise StubsError(*problems)
    inner = {root.resolve() for root in roots}
    files: dict[str, Path] = {}
    for root in roots:
        for path in _protos_below(root, inner - {root.resolve()}, frozenset()):
            files.setdefault(path.relative_to(root).as_posix(), path)
    return SourceTree(roots, dict(sorted(files.items())))


def _protos_below(folder: Path, others: set[Path], above: frozenset[Path]) -> Iterator[Path]:
    above |= {folder.resolve()}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        # Hidden folders hold environments and caches, not the tree.
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if entry.is_dir():
            # A link to a folder above would never end.
            if path.resolve() not in above | others:
                yield from _protos_below(path, others, above)
        elif entry.name.endswith(".proto") and entry.is_file():
            yield path


def with_unix_newlines(tree: SourceTree, folder: Path) -> list[str]:
    """Writes copies of the files in which a carriage return stands alone, with a line feed in its place.

    To protoc such a carriage return ends no line: a comment would go on to the end of the file.

    Args:
        tree: the files.
        folder: an empty folder for the copies, below which they have their import names.

    Returns:
        The names of the copied files.
    """
    copied = []
    for name, path in tree.files.items():
        data = path.read_bytes()
        plain = data.replace(b"\r\n", b"\n")
        if b"\r" in plain:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(plain.replace(b"\r", b"\n"))
            copied.append(name)
    return copied


def undecodable_lines(path: Path) -> list[int]:
    """Returns the numbers of the lines of a file that are not UTF-8."""
    lines = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [number for number, line in enumerate(lines, 1) if not _is_utf8(line)]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
