"""Every gateway, over every way, through the whole scenario."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.waiting import wait_until

from .conftest import skip_without_python
from .gateway import CALL_LIMIT, GatewayStopped
from .releases import RELEASES, Release
from .scenario import STEPS, down, recovers, redacted, unanswered
from .stage import Stage, stage
from .table import CASE, PASSED
from .ways import WAYS

pytestmark = pytest.mark.gateway_e2e

CASES = [(release, way) for release in RELEASES for way in WAYS]
EXIT_WITHOUT_PLUGIN = 3
(GRPC,) = [way for way in WAYS if way.name == "grpc"]
# Every 30 s a gateway makes its plugins' clients anew; by default it then leaves out those that it cannot reach.
FORGETTING = 35.0


@pytest.mark.parametrize("staged", CASES, indirect=True)
def test_scenario(staged: Stage, record_property: Callable[[str, object], None]) -> None:
    release, way = staged.release.version, staged.way
    record_property(CASE, (release, way.name))
    for step in way.steps:
        STEPS[step](staged)
        record_property(PASSED, (release, way.name, step))


each_release = pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)


@each_release
def test_a_gateway_does_not_start_while_an_external_plugin_is_down(release: Release, made: RenderedPlugin) -> None:
    skip_without_python(release)
    expected = f"the gateway ended with {EXIT_WITHOUT_PLUGIN}"
    with pytest.raises(GatewayStopped, match=expected), stage(release, GRPC, made, plugin_up=False):
        pass


@each_release
def test_a_gateway_does_not_forget_a_plugin_that_stays_down(release: Release, made: RenderedPlugin) -> None:
    skip_without_python(release)
    with stage(release, GRPC, made) as running:
        redacted(running)
        down(running)
        end = time.monotonic() + FORGETTING

        def later() -> bool:
            unanswered(running)
            return time.monotonic() > end

        wait_until(later, FORGETTING + CALL_LIMIT, pause=1)
        recovers(running)
