"""A server of the probe plugin on the Unix socket and on gRPC, and the rendered contract to talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.faulty_plugin import write_config, write_config_in_place
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve
from tests.support.unix_v1 import UnixV1Client
from tests.support.unix_v2 import UnixV2Client, args_of

MAX_BYTES = 1_000_000
HOOK_TIMEOUT = 2.0


@pytest.fixture(scope="session")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("probe"), rendered)


@pytest.fixture(scope="session")
def config_in_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of the probe plugin for servers in the test's process."""
    return write_config_in_place(tmp_path_factory.mktemp("in-place"))


@pytest.fixture(scope="session")
def served(rendered: RenderedPlugin, config: Path) -> Iterator[Served]:
    """A server with a low limit for messages and a short one for hooks."""
    options = ("--config", str(config), "--hook-timeout", str(HOOK_TIMEOUT))
    with serve(rendered, "grpc,unix", *options, PLUGINS_MAX_MESSAGE_BYTES=str(MAX_BYTES)) as server:
        yield server


@pytest.fixture
def peer(served: Served, pb: Any) -> Iterator[UnixV1Client]:
    """A connection to the Unix socket; afterwards the server must still answer a new one."""
    path = served.endpoints["unix"].removeprefix("unix://")
    with UnixV1Client(path, pb) as connection:
        yield connection
    with UnixV1Client(path, pb) as other:
        assert other.call("echo", {"a": 1}).result["modified_payload"]["args"]["a"] == 1


@pytest.fixture
def stream(served: Served, pb2: Any) -> Iterator[UnixV2Client]:
    """A connection of version 2; afterwards the server must still answer a new one."""
    path = served.endpoints["unix"].removeprefix("unix://")
    with UnixV2Client(path, pb2) as connection:
        yield connection
    with UnixV2Client(path, pb2) as other:
        assert args_of(other.ask(1, "echo", {"a": 1})) == {"a": 1}


@pytest.fixture
def channel(served: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.endpoints["grpc"].removeprefix("grpc://")) as opened:
        yield opened
