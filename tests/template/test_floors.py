"""The lowest versions that the rendered pyproject.toml allows really work; the other tests run with the highest."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.environments import environment
from tests.support.rendering import ALL_HOOKS, RenderedPlugin, dependencies
from tests.support.serving import environ

from .conftest import Render


def lowest(requirement: str) -> str:
    """Turn the floor of a requirement into its only version."""
    return re.sub(r">=([^,;]+)(,[^;]+)?", r"==\1", requirement)


def test_floors() -> None:
    assert lowest("protobuf>=7.35.1,<8") == "protobuf==7.35.1"
    assert lowest("uvloop>=0.21; sys_platform != 'win32'") == "uvloop==0.21; sys_platform != 'win32'"


@pytest.mark.full
def test_the_lowest_versions_pass_the_repositorys_tests(render: Render) -> None:
    root = render(plugin_name="PII Guard", hooks=ALL_HOOKS)
    wanted = dependencies(root, "grpc", "certs", "dev", "otel")
    python = environment("rendered-lowest", [lowest(item) for item in wanted])
    plugin = RenderedPlugin(root, "pii_guard", python)
    for command in (["pytest"], ["mypy"]):
        done = subprocess.run(
            [python, "-m", *command], cwd=root, env=environ(plugin), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
