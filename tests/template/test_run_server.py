"""run-server.sh: where it runs, what it runs, and whose settings count."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, environ

from .conftest import Render

SHELLS = [shell for shell in ("sh", "dash", "bash", "ksh", "mksh", "yash") if shutil.which(shell)]
REPORT = r"""#!/bin/sh
echo "pid=$$ folder=$(pwd) arguments=$*"
env | grep '^PLUGINS_' | sort
"""


@pytest.fixture
def root(render: Render) -> Path:
    """A repository whose interpreter reports how it was called."""
    root = render("a plugin", transport="unix")
    python = root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(REPORT)
    python.chmod(0o755)
    return root


def start(shell: str, root: Path, *arguments: str, **variables: str) -> tuple[int, list[str]]:
    """Run the script by its absolute path from another folder; returns the shell's process id and the report."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLUGINS_")}
    process = subprocess.Popen(
        [shell, str(root / "run-server.sh"), *arguments],
        cwd="/",
        env=clean | variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    output, _ = process.communicate(timeout=START_LIMIT)
    assert process.returncode == 0
    return process.pid, output.splitlines()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_server_takes_the_shells_place_in_the_repository(root: Path, shell: str) -> None:
    pid, report = start(shell, root, "--port", "0")
    assert report == [
        f"pid={pid} folder={root} arguments=-m my_plugin serve --port 0",
        "PLUGINS_TRANSPORT=unix",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_counts_more_than_the_file(root: Path, shell: str) -> None:
    (root / ".env").write_text(
        "PLUGINS_TRANSPORT=http,grpc\nPLUGINS_SERVER_PORT=1\nPLUGINS_LOG_LEVEL='two words'  # a comment\n"
    )
    _, report = start(shell, root, PLUGINS_SERVER_PORT="2", PLUGINS_SERVER_HOST='it\'s "quoted" $HOME')
    assert report[1:] == [
        "PLUGINS_LOG_LEVEL=two words",
        'PLUGINS_SERVER_HOST=it\'s "quoted" $HOME',
        "PLUGINS_SERVER_PORT=2",
        "PLUGINS_TRANSPORT=http,grpc",
    ]


def test_the_template_of_env_is_a_script_that_sets_nothing(root: Path) -> None:
    shutil.copy(root / ".env.template", root / ".env")
    assert start("sh", root)[1][1:] == ["PLUGINS_TRANSPORT=unix"]
    text = (root / ".env.template").read_text().replace("#PLUGINS_", "PLUGINS_")
    (root / ".env").write_text(text)
    _, report = start("sh", root)
    assert "PLUGINS_GRPC_SERVER_PORT=50051" in report
    assert len(report) - 1 == text.count("\nPLUGINS_")


def test_a_signal_to_the_script_ends_the_server(rendered: RenderedPlugin) -> None:
    variables = environ(rendered, PATH=f"{rendered.python.parent}:{os.environ['PATH']}", PLUGINS_SERVER_PORT="0")
    process = subprocess.Popen(
        ["sh", str(rendered.root / "run-server.sh")],
        cwd="/", env=variables, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("serving "):
            break
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=START_LIMIT)
    assert process.returncode == 0, errors
    # Standard output has the word that whoever asks for a free port waits for, and no banner.
    assert re.fullmatch(r"PORT=\d+\n", output)
