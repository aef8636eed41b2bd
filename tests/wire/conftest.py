"""A server of the probe plugin on the Unix socket and on gRPC, and the rendered contract to talk to it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.misbehaving import write_config
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .frames import Peer

MAX_BYTES = 1_000_000
HOOK_TIMEOUT = 2.0


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
    return modules("contract.plugin_service_pb2")


@pytest.fixture(scope="session")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("wire"), rendered)


@pytest.fixture(scope="session")
def served(rendered: RenderedPlugin, config: Path) -> Iterator[Served]:
    """A server with a low limit for messages and a short one for hooks."""
    options = ("--config", str(config), "--hook-timeout", str(HOOK_TIMEOUT))
    with serve(rendered, "grpc,unix", *options, PLUGINS_MAX_MESSAGE_BYTES=str(MAX_BYTES)) as server:
        yield server


@pytest.fixture
def peer(served: Served, pb: Any) -> Iterator[Peer]:
    """A connection to the Unix socket; afterwards the server must still answer a new one."""
    path = served.endpoints["unix"].removeprefix("unix://")
    with Peer(path, pb) as connection:
        yield connection
    with Peer(path, pb) as other:
        assert other.call("echo", {"a": 1}).result["modified_payload"]["args"]["a"] == 1


@pytest.fixture
def channel(served: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.endpoints["grpc"].removeprefix("grpc://")) as opened:
        yield opened
