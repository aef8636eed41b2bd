"""The change detection for files that are renewed, in place."""

from __future__ import annotations

import os
from pathlib import Path

from plugsmith_runtime.tls.files import FileWatch


def test_a_change_is_seen_until_it_is_accepted(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("1")
    watch = FileWatch([str(first), str(second)])
    assert watch.changed() is None
    second.write_text("22")
    states = watch.changed()
    assert states is not None
    assert watch.changed() == states
    watch.accept(states)
    assert watch.changed() is None


def test_a_change_after_the_one_that_is_accepted_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    watch = FileWatch([str(path)])
    path.write_text("22")
    seen = watch.changed()
    path.write_text("333")
    assert seen is not None
    watch.accept(seen)
    assert watch.changed() is not None


def test_a_replacement_of_the_same_size_and_time_is_a_change(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    for file in (path, other):
        file.write_text("1")
        os.utime(file, ns=(1, 1))
    watch = FileWatch([str(path)])
    os.replace(other, path)
    assert watch.changed() is not None


def test_a_file_that_goes_and_comes_back_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a"
    watch = FileWatch([str(path)])
    assert watch.changed() is None
    path.write_text("1")
    states = watch.changed()
    assert states is not None
    watch.accept(states)
    path.unlink()
    assert watch.changed() == (None,)
