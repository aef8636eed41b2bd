"""Each rendered repository passes its own checks: style, formatting as a no-op, strict types, and its tests.

One environment serves all of them, since they have the same dependencies; test_make.py runs the Makefile's targets.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import environment
from tests.support.rendering import ALL_HOOKS, RenderedPlugin, dependencies
from tests.support.serving import environ

from .conftest import Render

STRANGE = "Ünï \"quoted\" 'single' \\back\\slash {{ 7 * 7 }} # hash: colon, ${x} `tick` 🚀 <b>&amp;"
CHOICES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "all-hooks": {"plugin_name": "PII Guard", "hooks": ALL_HOOKS, "transport": "grpc", "license": "MIT"},
    "one-hook": {"plugin_name": "x", "hooks": ["prompt_pre_fetch"], "transport": "unix"},
    "long-name": {"plugin_name": "abcdefghij" * 4, "hooks": ALL_HOOKS, "transport": "stdio"},
    "telemetry": {"kind": "telemetry", "plugin_name": "Meter Reader"},
    "auth": {"kind": "auth", "plugin_name": "Door Keeper"},
    "audit": {"kind": "audit", "plugin_name": "Audit"},
    "odd-name": {"plugin_name": 'Bob\'s "Ünïcode" 🚀 \\ filter', "description": STRANGE, "author": STRANGE},
}
STYLE = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]


def tools(root: Path) -> Path:
    """A Python with all that the repository's checks need."""
    return environment("rendered-tools", dependencies(root, "grpc", "certs", "dev"))


def check(root: Path, *commands: list[str], like: Path | None = None) -> None:
    """Run modules with the repository's tools, or with those of `like`; the first that fails fails the test."""
    plugin = RenderedPlugin(root, next(root.glob("src/*/plugin.py")).parent.name, tools(like or root))
    for command in commands:
        done = subprocess.run(
            [plugin.python, "-m", *command], cwd=root, env=environ(plugin), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("answers", CHOICES.values(), ids=CHOICES.keys())
def test_the_repository_passes_its_own_checks(render: Render, answers: dict[str, Any]) -> None:
    check(render(**answers), *STYLE, ["mypy"], ["pytest"])


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_every_hook_alone_is_clean_and_passes_its_tests(render: Render, hook: str) -> None:
    files = ["src/my_plugin/plugin.py", "tests"]
    check(
        render(hooks=[hook]),
        ["ruff", "check", *files],
        ["ruff", "format", "--check", *files],
        ["pytest", "tests/test_plugin.py"],
    )


@pytest.mark.template_full
@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_every_hook_alone_passes_all_checks(render: Render, hook: str) -> None:
    check(render(hooks=[hook]), ["mypy"], ["pytest"])
