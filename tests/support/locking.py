"""A lock between test processes: of one run, and of several."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(place: Path) -> Iterator[None]:
    """Hold a lock for the length of a `with` block.

    Args:
        place: what is locked; the lock is a file beside it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Make a folder that all workers of a run share, unless one of them has made it.

    Args:
        folder: the folder, in `shared_folder`; tests only read what is in it.
        make: fills the empty folder. When it fails, the next one who asks begins anew.
    """
    done = Path(f"{folder}.done")
    with exclusive(folder):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
