"""Files that appear whole and with their mode, or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


def write_pair(certificate_path: Path, certificate: bytes, key_path: Path, key: bytes) -> None:
    """Write a key and its certificate, the key first: servers that watch them wait for the certificate."""
    write_file(key_path, key, KEY_MODE)
    write_file(certificate_path, certificate, CERTIFICATE_MODE)


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file beside its place and move it there.

    Args:
        path: the file; its folder is made.
        content: what it shall hold.
        mode: its mode, which no file of this name ever goes beyond.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
