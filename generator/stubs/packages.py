"""The __init__.py files that make folders of modules packages."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from .errors import StubsError
from .headers import header
from .modules import unimportable


def package_files(paths: Iterable[str]) -> dict[str, str]:
    """Returns the __init__.py of each folder that holds one of `paths`, the topmost included."""
    folders = {parent for path in paths for parent in PurePosixPath(path).parents}
    return {(folder / "__init__.py").as_posix(): header(None) for folder in folders}


def with_package_root(files: Mapping[str, str], out: Path, root: Path | None) -> tuple[Path, dict[str, str]]:
    """Adds the __init__.py files between the top of a package and the folder of the modules.

    Args:
        files: text by path, relative to `out`.
        out: the folder that the modules go to.
        root: the package's top folder; `out` itself when None.

    Returns:
        The folder that the new paths are relative to, and the files.

    Raises:
        StubsError: `out` is not below `root`, or a folder between them cannot be imported.
    """
    if root is None:
        return out, dict(files)
    try:
        inner = out.resolve().relative_to(root.resolve())
    except ValueError:
        raise StubsError(
            f"{out}: not below the package root {root}: give --package-root a folder above --out"
        ) from None
    problems = [f"{out}: {why}: rename the folder" for why in map(unimportable, inner.parts) if why]
    if problems:
        raise StubsError(*problems)
    moved = {(PurePosixPath(inner.as_posix()) / path).as_posix(): text for path, text in files.items()}
    return root, dict(sorted((package_files(moved) | moved).items()))
