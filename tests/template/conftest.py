"""Fixtures of the template's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import rendering
from tests.support.rendering import copy_template

Render = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template outside git."""
    return copy_template(tmp_path_factory.mktemp("template") / "plugsmith")


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Render a repository into a folder of the test's own, named by `dest`."""

    def render(dest: str = "plugin", **data: Any) -> Path:
        return rendering.render(tmp_path / dest, **data)

    return render
