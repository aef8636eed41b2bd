"""Every gateway, with every variant of the plugin entry, through the whole scenario."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.gateway.releases import GATEWAY_RELEASES, GatewayRelease
from tests.support.rendering import RenderedPlugin
from tests.support.waiting import wait_until

from .conftest import skip_without_python
from .deployment import Deployment, deploy
from .gateway import CALL_LIMIT, GatewayStopped
from .matrix import VARIANTS
from .scenario import STEPS, down, recovers, redacted, unanswered
from .table import CASE, PASSED

pytestmark = pytest.mark.gateway_e2e

CASES = [(release, variant) for release in GATEWAY_RELEASES for variant in VARIANTS]
EXIT_WITHOUT_PLUGIN = 3
(GRPC,) = [variant for variant in VARIANTS if variant.name == "grpc"]
# Every 30 s a gateway makes its plugins' clients anew; by default it then leaves out those that it cannot reach.
FORGETTING = 35.0


@pytest.mark.parametrize(
    "deployed", CASES, ids=[f"{release.version}-{variant.name}" for release, variant in CASES], indirect=True
)
def test_scenario(deployed: Deployment, record_property: Callable[[str, object], None]) -> None:
    release, variant = deployed.release.version, deployed.variant
    record_property(CASE, (release, variant.name))
    for step in variant.steps:
        STEPS[step](deployed)
        record_property(PASSED, (release, variant.name, step))


each_release = pytest.mark.parametrize("release", GATEWAY_RELEASES, ids=lambda release: release.version)


@each_release
def test_a_gateway_does_not_start_while_an_external_plugin_is_down(
    release: GatewayRelease, made: RenderedPlugin
) -> None:
    skip_without_python(release)
    expected = f"the gateway ended with {EXIT_WITHOUT_PLUGIN}"
    with pytest.raises(GatewayStopped, match=expected), deploy(release, GRPC, made, plugin_up=False):
        pass


@each_release
def test_a_gateway_does_not_forget_a_plugin_that_stays_down(release: GatewayRelease, made: RenderedPlugin) -> None:
    skip_without_python(release)
    with deploy(release, GRPC, made) as running:
        redacted(running)
        down(running)
        end = time.monotonic() + FORGETTING

        def later() -> bool:
            unanswered(running)
            return time.monotonic() > end

        wait_until(later, FORGETTING + CALL_LIMIT, pause=1)
        recovers(running)
