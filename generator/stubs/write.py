"""Writes a tree of generated modules, or shows how the files on disk differ from it."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import StubsError
from .headers import is_generated, source_of
from .modules import POOL_MODULE, SUFFIXES, module_of, path_of


def write_tree(files: Mapping[str, str], out: Path) -> list[str]:
    """Writes the files below `out`; an __init__.py that somebody else wrote stays.

    Args:
        files: text by relative path.
        out: the folder, made when missing.

    Returns:
        The paths that changed.

    Raises:
        StubsError: a file cannot be written; then none is.
    """
    changed = [path for path, text in files.items() if _differs(out / path, text)]
    _refuse_blocked(changed, out)
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    try:
        # All is written beside the folder first: what fails for want of space or rights, fails before any file changes.
        staging = Path(tempfile.mkdtemp(prefix=".plugsmith-", dir=existing))
    except OSError as error:
        raise StubsError(f"{existing}: cannot write ({error.strerror}): choose another --out") from error
    try:
        for number, path in enumerate(changed):
            (staging / str(number)).write_text(files[path], encoding="utf-8", newline="\n")
        for number, path in enumerate(changed):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / str(number), out / path)
    except OSError as error:
        raise StubsError(f"{out}: cannot write ({error.strerror}): choose another --out") from error
    finally:
        shutil.rmtree(staging)
    return changed


def _refuse_blocked(paths: list[str], out: Path) -> None:
    problems: dict[str, None] = {}
    for target in (out / path for path in paths):
        if target.is_dir():
            problems[f"{target}: a folder stands where a file must go: remove it or choose another --out"] = None
        parent = next(parent for parent in target.absolute().parents if os.path.lexists(parent))
        if not parent.is_dir():
            problems[f"{parent}: a file stands where a folder must go: remove it or choose another --out"] = None
        elif not os.access(parent, os.W_OK):
            problems[f"{parent}: no right to write in this folder: choose another --out"] = None
    if problems:
        raise StubsError(*problems)


def differences(files: Mapping[str, str], out: Path) -> str:
    """Returns unified differences between what `out` holds and `files`; empty when there are none."""
    parts: list[str] = []
    for path, text in files.items():
        if _differs(out / path, text):
            target = out / path
            old = target.read_text("utf-8", errors="replace").splitlines(keepends=True) if target.is_file() else []
            new = text.splitlines(keepends=True)
            parts += difflib.unified_diff(old, new, str(target), f"{target} (generated)")
    return "".join(parts)


def stale_files(files: Mapping[str, str], out: Path) -> list[str]:
    """Returns generated files below `out` that an earlier run wrote there and this one does not.

    Files that were generated into a folder below `out` on their own account are none of them: their source's name does
    not fit their place.

    Args:
        files: text by path, relative to `out`.
        out: the folder.
    """
    stale = {path for path in out.rglob("*.py*") if path.is_file() and _is_stale(path, files, out)}
    folders = {parent for path in stale for parent in path.parents if parent.is_relative_to(out)}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        init = folder / "__init__.py"
        # A package of which nothing is left goes as well.
        left = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts} - stale
        if left == {init} and is_generated(init) and init.relative_to(out).as_posix() not in files:
            stale.add(init)
    return sorted(path.relative_to(out).as_posix() for path in stale)


def _is_stale(path: Path, files: Mapping[str, str], out: Path) -> bool:
    place = path.relative_to(out).as_posix()
    if place in files:
        return False
    if place == f"{POOL_MODULE}.py":
        return is_generated(path)
    source = source_of(path)
    return source is not None and place in {path_of(module_of(source), suffix) for suffix in SUFFIXES}


def remove(paths: Iterable[str], out: Path) -> None:
    """Removes generated files, and the folders that are empty then.

    Args:
        paths: relative to `out`.
        out: the folder.

    Raises:
        StubsError: a file cannot be removed.
    """
    for path in (out / name for name in paths):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StubsError(f"{path}: cannot be removed ({error.strerror}): remove it yourself") from error
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
        for folder in path.parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()


def _differs(path: Path, text: str) -> bool:
    if path.name == "__init__.py" and path.exists() and not is_generated(path):
        return False
    return not path.is_file() or path.read_bytes() != text.encode()
