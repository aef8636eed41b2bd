"""Integrity of the runtime's files: SHA-256 digests, in a manifest that `sha256sum --check` reads too."""

from __future__ import annotations

import hashlib
from pathlib import Path

MANIFEST = "MANIFEST.sha256"


def file_digests(folder: Path) -> dict[str, str]:
    """The digest of each file of a runtime, by its path.

    Args:
        folder: the runtime's folder. Its manifest, hidden files and compiled modules do not count.
    """
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _counts(name := path.relative_to(folder).as_posix())
    }


def render_manifest(digests: dict[str, str]) -> str:
    """The text of a manifest: a digest and a path in each line.

    Args:
        digests: the digest of each file by its path.
    """
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def changed_files(folder: Path) -> list[str] | None:
    """The files of a runtime that are not as they were released: changed, added or missing.

    A folder that is missing altogether is none: a repository leaves out what its kind does not use, an image the tools.

    Args:
        folder: the runtime's folder.

    Returns:
        Their paths within the folder; None when there is no manifest to tell by.
    """
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    released = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = file_digests(folder)
    return [
        name
        for name in sorted(released.keys() | found.keys())
        if released.get(name) != found.get(name) and (name in found or (folder / name.partition("/")[0]).exists())
    ]


def _counts(name: str) -> bool:
    parts = name.split("/")
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return not hidden and name != MANIFEST and not name.endswith((".pyc", ".pyo"))
