"""Every gateway, over every way, through the whole scenario."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.rendering import RenderedPlugin

from .conftest import skip_without_python
from .gateway import GatewayStopped
from .limits import limit_of
from .releases import RELEASES, Release
from .scenario import STEPS
from .stage import Stage, stage
from .table import CASE, PASSED
from .ways import WAYS

pytestmark = pytest.mark.gateway_e2e

CASES = [(release, way) for release in RELEASES for way in WAYS]
EXIT_WITHOUT_PLUGIN = 3


@pytest.mark.parametrize("staged", CASES, indirect=True)
def test_scenario(staged: Stage, record_property: Callable[[str, object], None]) -> None:
    release, way = staged.release.version, staged.way
    record_property(CASE, (release, way.name))
    for step in way.steps:
        if limit := limit_of(release, way.name, step):
            with pytest.raises(AssertionError, match=limit.said):
                STEPS[step](staged)
        else:
            STEPS[step](staged)
        record_property(PASSED, (release, way.name, step))


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_a_gateway_does_not_start_while_an_external_plugin_is_down(release: Release, made: RenderedPlugin) -> None:
    skip_without_python(release)
    (way,) = [way for way in WAYS if way.name == "grpc"]
    expected = f"the gateway ended with {EXIT_WITHOUT_PLUGIN}"
    with pytest.raises(GatewayStopped, match=expected), stage(release, way, made, plugin_up=False):
        pass
