"""Fixtures of the connector's tests: a server with a plugin that misbehaves, and gateways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.releases import FRAMEWORK_OF_1_0_0, FRAMEWORK_RELEASES, FrameworkRelease
from tests.support.faulty_plugin import write_config
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .gateways import Gateway, gateway

NEWEST = FRAMEWORK_RELEASES[-1]


@pytest.fixture(scope="session")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that serves the probe beside the rendered plugin."""
    return write_config(tmp_path_factory.mktemp("connector"), rendered)


@pytest.fixture(scope="session")
def served(rendered: RenderedPlugin, config: Path) -> Iterator[Served]:
    """A server of all transports that tests leave alone."""
    with serve(rendered, "http,grpc,unix", "--config", str(config)) as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param(
            release, id=release.name, marks=[] if release in (FRAMEWORK_OF_1_0_0, NEWEST) else pytest.mark.full
        )
        for release in FRAMEWORK_RELEASES
    ]
)
def release(request: pytest.FixtureRequest) -> FrameworkRelease:
    """The oldest and the newest release of the framework; the others in the session `full`."""
    chosen: FrameworkRelease = request.param
    return chosen


@pytest.fixture(scope="session")
def newest_process(rendered: RenderedPlugin) -> Iterator[Gateway]:
    """A gateway's side with the newest framework, for all tests that need no other."""
    with gateway(NEWEST, rendered) as side:
        yield side


@pytest.fixture
def newest(newest_process: Gateway) -> Iterator[Gateway]:
    """A gateway's side with the newest framework, as if new."""
    yield newest_process
    newest_process.ask("reset")


@pytest.fixture(scope="session")
def stopping(rendered: RenderedPlugin) -> Iterator[Gateway]:
    """A gateway's side that stops when a plugin fails to start (PLUGINS_FAIL_ON_PLUGIN_ERROR)."""
    with gateway(NEWEST, rendered) as side:
        side.ask("setenv", name="PLUGINS_FAIL_ON_PLUGIN_ERROR", value="true")
        yield side
