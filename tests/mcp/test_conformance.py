"""The protocol's own conformance suite, `@modelcontextprotocol/conformance`, against a rendered plugin over HTTP.

It serves three tools and nothing else. The scenarios that are left out need what such a server does not have:
  logging-set-level, completion-complete, prompts-*, resources-*: it declares none of these capabilities;
  tools-call-*, json-schema-2020-12, elicitation-*: they call tools of the suite's own example server by their names;
  server-sse-*: it answers in JSON and opens no streams, as the protocol allows; the suite skips them by itself.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.node import installed, node
from tests.support.serving import Served

PACKAGE = "@modelcontextprotocol/conformance"
VERSION = "0.1.16"
SCENARIOS = {"server-initialize": 1, "ping": 1, "tools-list": 1, "dns-rebinding-protection": 2}


@pytest.fixture(scope="session")
def suite() -> list[str]:
    """The command that runs the suite."""
    program = installed(PACKAGE, VERSION, "conformance") / "node_modules" / PACKAGE / "dist" / "index.js"
    return [str(node()), str(program)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(suite: list[str], probe_server: Served, tmp_path: Path, scenario: str) -> None:
    url = probe_server.endpoints["http"]
    done = subprocess.run(
        [*suite, "server", "--url", url, "--scenario", scenario, "-o", str(tmp_path)],
        capture_output=True, text=True, timeout=60.0, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Passed: {SCENARIOS[scenario]}/{SCENARIOS[scenario]}" in done.stdout
