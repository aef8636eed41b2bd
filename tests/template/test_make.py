"""The Makefile's targets, run as an author runs them, with uv and without."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.environments import uv
from tests.support.rendering import ALL_HOOKS

from .conftest import Render


def make(root: Path, *targets: str, with_uv: bool = True, **variables: str) -> str:
    """Run targets and return what they printed; fails when make does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGINS_", "VIRTUAL_ENV"))}
    tool = uv()
    if with_uv and tool:
        clean["PATH"] = f"{Path(tool).parent}:{clean['PATH']}"
    elif shutil.which("uv"):
        clean["PATH"] = path_without_uv(root, clean["PATH"])
    done = subprocess.run(
        ["make", *targets], cwd=root, env=clean | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def path_without_uv(root: Path, path: str) -> str:
    """A PATH with all programs but uv, as links in a folder of its own."""
    folder = root.parent / "programs"
    folder.mkdir(exist_ok=True)
    for place in path.split(":"):
        for program in Path(place).glob("*"):
            if program.name not in ("uv", "uvx") and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)


def test_help_lists_every_target(render: Render) -> None:
    root = render()
    text = make(root, "help")
    assert make(root) == text
    targets = (
        "help install install-grpc install-dev test lint format typecheck serve dev start-grpc-tls call check demo "
        "bench gateway-config certs-mcp-ca certs-mcp-gateway certs-mcp-plugin certs-mcp-all certs-mcp-check "
        "container-build container-build-grpc container-start container-start-grpc container-start-grpc-tls "
        "container-stop container-logs update check-update clean"
    )
    assert [line.split()[0] for line in text.splitlines()] == targets.split()


def test_the_authors_section_adds_targets(render: Render) -> None:
    root = render()
    with (root / "Makefile").open("a") as file:
        file.write("\nhello: ## say hello\n\t@echo hello\n")
    assert "hello" in make(root, "help")
    assert make(root, "hello") == "hello\n"


@pytest.mark.full
def test_the_targets_work_one_after_the_other(render: Render) -> None:
    root = render("a plugin", plugin_name="PII Guard", hooks=ALL_HOOKS)
    table = make(root, "demo").splitlines()
    assert {line.split()[0] for line in table[1:]} == {"http", "grpc", "grpc+unix", "unix", "stdio"}
    before = {path: path.read_bytes() for path in root.rglob("*.py") if ".venv" not in path.parts}
    make(root, "install-grpc", "install-dev", "lint", "format", "typecheck", "test")
    assert {path: path.read_bytes() for path in before} == before
    make(root, "clean")
    assert not (root / ".venv").exists()


def test_nothing_is_installed_twice_until_pyproject_changes(render: Render) -> None:
    root = render()
    make(root, "install")
    stamp = root / ".venv/.installed"
    first = stamp.stat().st_mtime_ns
    make(root, "install")
    assert stamp.stat().st_mtime_ns == first
    later = first + 10**9
    os.utime(root / "pyproject.toml", ns=(later, later))
    make(root, "install")
    assert stamp.stat().st_mtime_ns != first
    make(root, "clean")
    assert not (root / ".venv").exists()


def test_call_runs_one_hook_of_the_plugin(render: Render) -> None:
    root = render()
    payload = '{"name": "it\'s", "args": {"q": "tango \\"x\\""}}'
    answer = make(root, "call", "TRANSPORT=stdio", "HOOK=tool_pre_invoke", f"PAYLOAD={payload}")
    assert '"q": "*** \\"x\\""' in answer
    assert '"name": "it\'s"' in answer


def test_certificates_serve_and_reach_the_gateways_block(render: Render) -> None:
    root = render()
    made = make(root, "certs-mcp-all", MCP_CERT_DAYS="90")
    assert made.count("made ") == 3
    make(root, "certs-mcp-plugin", PLUGIN_NAME="other")
    table = make(root, "certs-mcp-check")
    assert "plugins/other/server.crt" in table
    text = make(root, "gateway-config", TRANSPORT="grpc", TLS="1")
    block = yaml.safe_load(text.partition("PlainContext runs")[0])["plugins"][0]["grpc"]
    assert block["target"] == "127.0.0.1:50051"
    assert block["tls"].pop("verify") is True
    for path in block["tls"].values():
        assert Path(path).is_absolute()
        assert Path(path).is_file()


@pytest.mark.full
def test_it_works_without_uv(render: Render) -> None:
    make(render(), "demo", "lint", "typecheck", "test", with_uv=False)


def test_too_old_a_python_is_refused_in_one_line(render: Render, tmp_path: Path) -> None:
    root = render()
    old = tmp_path / "programs"
    old.mkdir()
    for name in ("sh", "make", "rm", "awk"):
        found = shutil.which(name)
        assert found
        (old / name).symlink_to(found)
    for name in ("python", "python3"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    done = subprocess.run(
        ["make", "install"], cwd=root, env={"PATH": str(old)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no Python 3.11 or later found; install one, or name it: make PYTHON=/path/to/python" in done.stderr
