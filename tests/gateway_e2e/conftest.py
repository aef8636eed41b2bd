"""The plugin, the deployment, and the logs of a deployment on which something went wrong."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.gateway.releases import GatewayRelease
from tests.support.rendering import RenderedPlugin

from .deployment import Deployment, deploy
from .plugin import make_plugin


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """The rendered plugin that all gateways call."""
    return make_plugin(tmp_path_factory.mktemp("gateway-e2e"))


@pytest.fixture
def deployed(request: pytest.FixtureRequest, made: RenderedPlugin) -> Iterator[Deployment]:
    """The deployment of a case: the one before is gone before it starts."""
    release, variant = request.param
    skip_without_python(release)
    with deploy(release, variant, made, plugin_up="boots" not in variant.steps) as running:
        yield running


def skip_without_python(release: GatewayRelease) -> None:
    """Leave a test out on a machine that lacks the Python of its gateway."""
    if not release.python_there:
        pytest.skip(f"gateway {release.version} needs Python {release.python_version}, and there is none here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what gateway and plugin said when a step fails."""
    report = yield
    running = item.funcargs.get("deployed")
    if report.failed and isinstance(running, Deployment):
        report.sections.append(("logs", running.logs()))
    return report
