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
from .table import CELL
from .ways import WAYS

pytestmark = pytest.mark.gateway_e2e

CASES = [((release, way), step) for release in RELEASES for way in WAYS for step in way.steps]


@pytest.mark.parametrize(("staged", "step"), CASES, indirect=["staged"], scope="module")
def test_step(staged: Stage, step: str, record_property: Callable[[str, object], None]) -> None:
    record_property(CELL, (staged.release.version, staged.way.name, step))
    limit = limit_of(staged.release.version, staged.way.name, step)
    if limit is None:
        STEPS[step](staged)
    else:
        with pytest.raises(AssertionError, match=limit.said):
            STEPS[step](staged)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_an_external_plugin_that_is_down_keeps_a_gateway_from_starting(release: Release, made: RenderedPlugin) -> None:
    skip_without_python(release)
    (way,) = [way for way in WAYS if way.name == "grpc"]
    with pytest.raises(GatewayStopped, match="the gateway ended with 3"), stage(release, way, made, plugin_up=False):
        pass
