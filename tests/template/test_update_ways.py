"""Ways to take an update: the Makefile's targets, other answers, conflicts, and templates with new questions."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.environments import uv

from .conftest import Render
from .test_make import make
from .updating import Checkout, released_template, rendered_from, update

HOST = "src/my_plugin/runtime/host/host.py"


@pytest.fixture
def origin(template: Path, tmp_path: Path) -> Checkout:
    return released_template(template, tmp_path / "template", "__init__.py", "_version.py", "host/host.py")


@pytest.fixture
def plugin(origin: Checkout, tmp_path: Path) -> Checkout:
    return rendered_from(origin, tmp_path / "plugin")


def release(origin: Checkout, last_line: str) -> None:
    origin.append("runtime/plugsmith_runtime/host/host.py", f"\n{last_line}\n")
    origin.commit("v2.0.0")


def failing_make(plugin: Checkout, target: str) -> str:
    """What a target that must fail printed."""
    tool = uv()
    path = f"{Path(tool).parent}:{os.environ['PATH']}" if tool else os.environ["PATH"]
    environ = os.environ | {"PATH": path}
    done = subprocess.run(["make", target], cwd=plugin.root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    return done.stdout + done.stderr


def test_make_says_whether_there_is_an_update_and_takes_it(origin: Checkout, plugin: Checkout) -> None:
    assert "up-to-date" in make(plugin.root, "check-update")
    release(origin, "NEWS = 2")
    assert "latest version is 2.0.0" in failing_make(plugin, "check-update")
    assert "Look at what changed" in make(plugin.root, "update")
    assert plugin.read(HOST).endswith("\nNEWS = 2\n")
    assert "up-to-date" in make(plugin.root, "check-update")


@pytest.mark.full
def test_make_updates_without_uv(origin: Checkout, plugin: Checkout) -> None:
    release(origin, "NEWS = 2")
    make(plugin.root, "update", with_uv=False)
    assert plugin.read(HOST).endswith("\nNEWS = 2\n")
    assert plugin.git("status", "--porcelain").split() == ["M", ".copier-answers.yml", "M", HOST]


def test_make_names_the_files_with_conflicts(origin: Checkout, plugin: Checkout) -> None:
    plugin.append(HOST, "\nNEWS = 'mine'\n")
    plugin.commit()
    release(origin, "NEWS = 2")
    assert f"settle the conflicts in these files, then git add them: {HOST}\n" in failing_make(plugin, "update")
    assert plugin.unclean() == [HOST, HOST]


@pytest.mark.full
def test_work_that_is_not_committed_is_not_touched(origin: Checkout, plugin: Checkout) -> None:
    release(origin, "NEWS = 2")
    plugin.append(HOST, "\n# Not yet committed.\n")
    before = plugin.git("diff")
    assert "Destination repository is dirty" in failing_make(plugin, "update")
    assert plugin.git("diff") == before


@pytest.mark.full
def test_a_template_without_releases_updates_to_its_last_commit(origin: Checkout, tmp_path: Path) -> None:
    origin.git("tag", "--delete", "v1.0.0")
    plugin = rendered_from(origin, tmp_path / "untagged")
    release(origin, "NEWS = 2")
    origin.git("tag", "--delete", "v2.0.0")
    update(plugin)
    assert plugin.read(HOST).endswith("\nNEWS = 2\n")


def test_a_new_question_with_files_of_its_own_gets_its_default(origin: Checkout, plugin: Checkout) -> None:
    (plugin.root / "LICENSE").unlink()
    plugin.commit()
    question = "\nnews:\n  type: bool\n  help: News?\n  default: true\n"
    origin.append("copier.yml", question)
    origin.replace("copier.yml", "_exclude:\n", '_exclude:\n  - "{% if not news | default(true) %}/NEWS{% endif %}"\n')
    (origin.root / "template/NEWS").write_text("two\n")
    origin.commit("v2.0.0")
    update(plugin)
    assert plugin.read("NEWS") == "two\n"
    assert yaml.safe_load(plugin.read(".copier-answers.yml"))["news"] is True
    assert not (plugin.root / "LICENSE").exists()
    plugin.commit()
    update(plugin, "--data", "news=false", "--data", "container=false")
    gone = plugin.git("diff", "--name-only", "--diff-filter=D").split()
    assert {"NEWS", "Containerfile", "compose.yaml"} <= set(gone)
    assert plugin.unclean() == []


def test_the_layout_names_every_file_and_whose_it_is(render: Render) -> None:
    root = render()
    layout = (root / "README.md").read_text().partition("## Layout")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in layout.splitlines() if line.startswith("| `")]
    owners = {path: owner.strip() for cell, owner in rows for path in re.findall(r"`([^`]+)`", cell)}
    files = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    assert [file for file in files if not any(file == path or file.startswith(path) for path in owners)] == []
    yours = {path for path, owner in owners.items() if owner == "yours"}
    kept = yaml.safe_load((Path(__file__).parents[2] / "copier.yml").read_text())["_skip_if_exists"]
    assert yours == {str(path.relative_to(root)) for pattern in kept for path in root.glob(pattern.lstrip("/"))}
