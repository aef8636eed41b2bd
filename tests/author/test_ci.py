"""The workflow that a rendered repository brings along."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import ROOT, render


@pytest.fixture(scope="module", params=[True, False], ids=["container", "no-container"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("ci") / "plugin", container=request.param)


def workflow(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / ".github/workflows/checks.yaml").read_text())
    return found


def steps(root: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(root)["jobs"].values() for step in job["steps"]]


def test_it_fits_githubs_schema(root: Path) -> None:
    tool = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*tool, root / ".github/workflows/checks.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs_targets_that_there_are(root: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    commands = [step["run"].split() for step in steps(root) if "run" in step]
    assert {word for command in commands for word in command} <= {"make", *targets}
    assert ["make", "test"] in commands
    assert (["make", "container-start"] in commands) == (root / "Containerfile").exists()


def test_it_may_only_read(root: Path) -> None:
    assert workflow(root)["permissions"] == {"contents": "read"}
    assert all(step["with"]["persist-credentials"] is False for step in steps(root) if "checkout" in str(step))


def test_it_checks_every_python_that_the_project_checks(root: Path) -> None:
    classifier = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    pythons = workflow(root)["jobs"]["checks"]["strategy"]["matrix"]["python"]
    assert classifier == f">={pythons[0]}"
    assert f"python={pythons!r}".replace("'", '"') in (ROOT / "noxfile.py").read_text()
