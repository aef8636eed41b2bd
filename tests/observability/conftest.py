"""Servers of the probe plugin that can be watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.faulty_plugin import write_config
from tests.support.rendering import RenderedPlugin


@pytest.fixture(scope="session")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The configuration file that serves the probe plugin."""
    return str(write_config(tmp_path_factory.mktemp("observe"), rendered))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, for the gate that holds calls back."""
    made = tmp_path / "gate"
    made.mkdir()
    return made
