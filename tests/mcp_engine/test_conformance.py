"""The protocol's conformance suite, `@modelcontextprotocol/conformance`, against tools of every kind over HTTP.

The scenarios that are left out need prompts, resources, completions, sampling or elicitation, which are not tools, or
the resumption of a stream (server-sse-polling), which a server may leave out.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.mcp.test_conformance import PACKAGE, VERSION
from tests.support.node import installed, node

SCENARIOS = {
    "server-initialize": 1,
    "ping": 1,
    "logging-set-level": 1,
    "tools-list": 1,
    "tools-call-simple-text": 1,
    "tools-call-image": 1,
    "tools-call-audio": 1,
    "tools-call-embedded-resource": 1,
    "tools-call-mixed-content": 1,
    "tools-call-error": 1,
    "tools-call-with-logging": 1,
    "tools-call-with-progress": 1,
    "json-schema-2020-12": 4,
    "server-sse-multiple-streams": 1,
    "dns-rebinding-protection": 2,
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(everything: str, tmp_path: Path, scenario: str) -> None:
    program = installed(PACKAGE, VERSION, "conformance") / "node_modules" / PACKAGE / "dist" / "index.js"
    done = subprocess.run(
        [str(node()), str(program), "server", "--url", everything, "--scenario", scenario, "-o", str(tmp_path)],
        capture_output=True, text=True, timeout=60.0, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Passed: {SCENARIOS[scenario]}/{SCENARIOS[scenario]}" in done.stdout
