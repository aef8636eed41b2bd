"""The image's steps, run in a clean folder as an ordinary user, end in a server that answers and stops."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from generator import __version__
from tests.support.waiting import wait_until

from .image import Image
from .tools import free_port

LIMIT = 30.0


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """The variables that move the ports to free ones, on loopback."""
    return {
        "PLUGINS_TRANSPORT": "grpc,http",
        "PLUGINS_SERVER_HOST": "127.0.0.1",
        "PLUGINS_SERVER_PORT": str(free_port()),
        "PLUGINS_GRPC_SERVER_HOST": "127.0.0.1",
        "PLUGINS_GRPC_SERVER_PORT": str(free_port()),
    }


@pytest.fixture
def container(image: Image, ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """What `run` would start."""
    words = image.command(image.final, "ENTRYPOINT") + image.command(image.final, "CMD")
    with image.popen(words, **ports) as process:
        yield process
        process.kill()


def healthy(image: Image, ports: dict[str, str]) -> bool:
    """What the health check says."""
    options, _, words = image.final.commands["HEALTHCHECK"].partition(" CMD ")
    assert "--interval" in options
    image.final.commands["CMD of HEALTHCHECK"] = words
    with image.popen(image.command(image.final, "CMD of HEALTHCHECK"), **ports) as check:
        return check.wait(LIMIT) == 0


def test_it_serves_is_healthy_and_stops(image: Image, ports: dict[str, str], container: subprocess.Popen[str]) -> None:
    wait_until(lambda: healthy(image, ports), LIMIT)
    container.send_signal(signal.SIGTERM)
    _, log = container.communicate(timeout=LIMIT)
    assert container.returncode == 0, log
    assert f"serving PiiGuard on grpc://127.0.0.1:{ports['PLUGINS_GRPC_SERVER_PORT']}" in log
    assert not healthy(image, ports)


def test_the_last_stage_holds_the_plugin_and_no_tools(image: Image) -> None:
    root = image.final.root
    assert {str(path.relative_to(root / "app")) for path in (root / "app").rglob("*") if path.is_file()} == {
        "resources/gateway/plain_context.py",
        "resources/plugins/config.yaml",
    }
    installed = {path.name.partition("-")[0] for path in root.glob("opt/plugin/lib/*/site-packages/*.dist-info")}
    assert {"pii_guard", "grpcio", "pydantic", "httptools"} <= installed
    assert not {"pip", "setuptools", "hatchling", "pytest", "cryptography"} & installed


def test_the_tools_of_development_are_left_out(image: Image) -> None:
    folders = list(image.final.root.glob("opt/plugin/lib/*/site-packages/**/plugin_server"))
    left = {path.name for folder in folders for path in folder.parent.iterdir()}
    assert "host" in left and not {"testing", "tools"} & left
    command = image.command(image.final, "ENTRYPOINT")
    with image.popen([*command, "--help"]) as process:
        out, _ = process.communicate(timeout=LIMIT)
    listed = {line.split()[0] for line in out.splitlines() if line.startswith("    ") and line.split()}
    assert process.returncode == 0
    assert {"serve", "health"} <= listed
    assert not {"dev", "call", "check", "demo", "bench", "certs", "gateway-config"} & listed
    with image.popen([*command, "check"]) as process:
        _, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, "invalid choice: 'check'" in err) == (2, True), err


def test_the_runtime_in_it_says_its_version(image: Image) -> None:
    with image.popen([*image.command(image.final, "ENTRYPOINT"), "--version"]) as process:
        out, err = process.communicate(timeout=LIMIT)
    assert out == f"pii_guard 0.1.0, plugsmith-runtime {__version__}\n", err
    bills = image.final.root.glob("opt/plugin/lib/*/site-packages/pii_guard-*.dist-info/sboms/*.cdx.json")
    distributions = image.final.root.glob("opt/plugin/lib/*/site-packages/plugsmith_runtime-*.dist-info")
    assert len([*bills, *distributions]) == 1
