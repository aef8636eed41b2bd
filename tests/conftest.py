"""Fixtures that several test folders share."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import ALL_HOOKS, RenderedPlugin, rendered_plugin

# Markers of pyproject.toml whose tests have a nox session of their own.
ON_DEMAND = {"full", "gateway_e2e", "release", "stubs_trees"}


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share; tests read what is in it, and write nothing."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def rendered(shared_folder: Path) -> RenderedPlugin:
    """A rendered plugin with all hooks, and an environment with its extra grpc."""
    return rendered_plugin(shared_folder / "word-guard", "grpc", plugin_name="Word Guard", hooks=ALL_HOOKS)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder of one's own with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="ps-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def modules(rendered: RenderedPlugin) -> Iterator[Any]:
    """Imports modules of the rendered package by their name inside it."""
    path = str(rendered.root / "src")
    sys.path.insert(0, path)
    yield lambda name: importlib.import_module(f"{rendered.package}.{name}")
    sys.path.remove(path)


@pytest.fixture(scope="session")
def pb(modules: Any) -> Any:
    """The messages of the contract."""
    return modules("runtime.contract.plugin_service_pb2")


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for each two cores: about a third of their time, tests wait for processes and timers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + cores // 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes or needs the world, unless the run asks for it by its marker."""
    left_out = {name for name in ON_DEMAND if name not in config.option.markexpr}
    dropped = [item for item in items if left_out & {mark.name for mark in item.iter_markers()}]
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=dropped)


@pytest.fixture(scope="session")
def pb2(modules: Any) -> Any:
    """The messages of version 2 of the Unix protocol."""
    return modules("runtime.contract.plugin_stream_pb2")
