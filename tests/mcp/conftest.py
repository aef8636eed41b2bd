"""Servers of the probe plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from . import wire
from .probe import write_probe

MAX_BYTES = 100_000


@pytest.fixture(scope="session")
def probe_config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration file that serves the probe plugin."""
    return write_probe(tmp_path_factory.mktemp("probe"), f"{rendered.package}.runtime")


@pytest.fixture(scope="session")
def probe_in_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for servers in the test's process."""
    return write_probe(tmp_path_factory.mktemp("probe"), "plugsmith_runtime")


@pytest.fixture(scope="session")
def probe_server(rendered: RenderedPlugin, probe_config: Path) -> Iterator[Served]:
    """A server of the probe plugin over HTTP, with a low limit for bodies."""
    with serve(rendered, "http", "--config", str(probe_config), PLUGINS_MAX_MESSAGE_BYTES=str(MAX_BYTES)) as served:
        yield served


@pytest.fixture
def endpoint(probe_server: Served) -> Iterator[str]:
    """The endpoint of that server, which must still answer when the test is over."""
    url = probe_server.endpoints["http"]
    yield url
    answer = wire.post(url, wire.hook_call("echo", request_id="after", a=1))
    assert answer.status == 200
    assert wire.hook_reply(answer.json)["result"]["modified_payload"]["args"] == {"a": 1}
