"""Servers of the probe plugin."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.faulty_plugin import write_config
from tests.support.rendering import RenderedPlugin


@pytest.fixture(scope="session")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration file that serves the probe plugin."""
    return write_config(tmp_path_factory.mktemp("production"), rendered)


@pytest.fixture(scope="session", autouse=True)
def many_files() -> None:
    """Let the tests open more connections than the usual 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard < 65536 else 65536, hard))


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """Closes what a test holds open; enter it inside the server's own `with`, so that it closes first."""
    with ExitStack() as stack:
        yield stack
