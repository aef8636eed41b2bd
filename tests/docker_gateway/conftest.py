"""A rendered plugin of each kind, and plugins that Docker's MCP gateway starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin, rendered_plugin
from tests.support.serving import environ

from .gateway import Subprocess

Start = Callable[..., Subprocess]


@pytest.fixture(scope="session")
def kinds(shared_folder: Path) -> dict[str, RenderedPlugin]:
    """A rendered repository of each kind."""
    return {
        kind: rendered_plugin(shared_folder / f"kind-{kind}", kind=kind)
        for kind in ("hooks", "telemetry", "auth", "audit")
    }


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a rendered plugin as the gateway does; whatever still runs is killed at the end."""
    started: list[Subprocess] = []

    def start(plugin: RenderedPlugin, *arguments: str, **extra: Any) -> Subprocess:
        variables = environ(plugin, **extra)
        # run-server.sh takes the first Python of the path, where the repository has no environment of its own.
        variables["PATH"] = f"{plugin.python.parent}:{variables['PATH']}"
        command = [str(plugin.root / "run-server.sh"), "--port", "0", *arguments]
        started.append(Subprocess(command, variables, Path("/")))
        return started[-1]

    yield start
    for process in started:
        process.release()
