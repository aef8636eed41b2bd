"""Each tutorial is followed from its first block to its last, in a clone, as a reader would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.rendering import ROOT

from .conftest import Begin
from .steps import read_steps

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_it_works_as_it_says(tutorial: Path, clone: Path, tmp_path: Path, begin: Begin) -> None:
    reader = begin(Path(shutil.copytree(clone, tmp_path / "plugsmith", symlinks=True)))
    steps = read_steps(tutorial.read_text())
    assert steps
    for step in steps:
        reader.follow(step)
