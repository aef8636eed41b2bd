"""Fixtures of the template's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest

from tests.support.rendering import ROOT

Render = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template outside git, which Copier need not clone for every rendering."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(ROOT / "copier.yml", folder)
    for name in ("template", "proto", "runtime"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Render:
    """Render a repository into a folder of the test's own, named by `dest`."""

    def render(dest: str = "plugin", **data: Any) -> Path:
        copier.run_copy(str(template), tmp_path / dest, data=data, defaults=True, quiet=True)
        return tmp_path / dest

    return render
