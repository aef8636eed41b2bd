"""Fixtures for pytest, which a conftest.py enables with `pytest_plugins = ["<package>.runtime.testing.fixtures"]`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from .certificates import Certificates, throwaway_certificates
from .client import PluginClient
from .hosting import hosted
from .serving import PluginServer, served
from .serving import socket_folder as _socket_folder


@pytest.fixture
def plugin_config(pytestconfig: pytest.Config) -> Path:
    """The configuration file for the other fixtures; override it in a test module to use another file."""
    return pytestconfig.rootpath / "resources" / "plugins" / "config.yaml"


@pytest_asyncio.fixture
async def plugin(plugin_config: Path) -> AsyncIterator[PluginClient]:
    """The plugin in this process, without a transport."""
    async with hosted(plugin_config) as client:
        yield client


@pytest_asyncio.fixture
async def plugin_server(plugin_config: Path) -> AsyncIterator[PluginServer]:
    """A server in this process, on every transport."""
    async with served(plugin_config) as server:
        yield server


@pytest_asyncio.fixture
async def mtls_server(plugin_config: Path, certificates: Certificates) -> AsyncIterator[PluginServer]:
    """A server in this process, on HTTP and gRPC with mutual TLS."""
    async with served(plugin_config, transports=("http", "grpc"), certificates=certificates) as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Throw-away certificates of a server and of a client."""
    return throwaway_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A temporary folder with a path that is short enough for Unix sockets."""
    with _socket_folder() as folder:
        yield folder
