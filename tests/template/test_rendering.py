"""What a rendered repository holds, and what an update leaves alone."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from tests.support.rendering import ROOT

from .conftest import Render

FILES = {
    ".copier-answers.yml",
    ".dockerignore",
    ".env.template",
    ".gitattributes",
    ".github/workflows/checks.yaml",
    ".gitignore",
    "Containerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "compose.yaml",
    "deploy/container.sh",
    "deploy/gateway-plugins.yaml",
    "deploy/kubernetes/base/configmap.yaml",
    "deploy/kubernetes/base/deployment.yaml",
    "deploy/kubernetes/base/horizontalpodautoscaler.yaml",
    "deploy/kubernetes/base/kustomization.yaml",
    "deploy/kubernetes/base/networkpolicy.yaml",
    "deploy/kubernetes/base/poddisruptionbudget.yaml",
    "deploy/kubernetes/base/service.yaml",
    "deploy/kubernetes/mtls/deployment.patch.yaml",
    "deploy/kubernetes/mtls/kustomization.yaml",
    "deploy/kubernetes/sidecar/gateway.patch.yaml",
    "deploy/kubernetes/sidecar/kustomization.yaml",
    "proto/hook_options.proto",
    "proto/hooks.proto",
    "proto/plugin_service.proto",
    "proto/plugin_stream.proto",
    "pyproject.toml",
    "resources/demo.yaml",
    "resources/gateway/plain_context.py",
    "resources/plugins/config.yaml",
    "run-server.sh",
    "tests/conftest.py",
    "tests/test_plugin.py",
    "tests/test_transports.py",
}


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    """What each file holds, and its mode."""
    return {name: ((root / name).read_bytes(), (root / name).stat().st_mode) for name in files(root)}


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_it_holds_the_files_of_the_design_and_no_more(render: Render) -> None:
    found = files(render(plugin_name="PII Guard"))
    assert {name for name in found if not name.startswith("src/")} == FILES
    inside = {name.removeprefix("src/pii_guard/") for name in found if name.startswith("src/")}
    assert {name for name in inside if not name.startswith("runtime/")} == {
        "__init__.py",
        "__main__.py",
        "plugin.py",
        "py.typed",
    }
    assert {"runtime/connector/__init__.py", "runtime/contract/hooks.py", "runtime/__init__.py"} <= inside
    assert [name for name in found if name.endswith((".jinja", ".pyc"))] == []


@pytest.mark.parametrize(
    "answers",
    [{}, {"kind": "audit", "container": False}, {"runtime": "package"}],
    ids=["defaults", "audit", "package"],
)
def test_the_other_tests_have_the_files_that_copier_writes(
    template: Path, render: Render, tmp_path: Path, answers: dict[str, Any]
) -> None:
    written = tmp_path / "by-copier"
    copier.run_copy(str(template), written, data=answers, defaults=True, quiet=True)
    for root in (written, render(**answers)):
        # It names the place of the template, and nothing else that differs.
        recorded = root / ".copier-answers.yml"
        recorded.write_text(re.sub("^_src_path: .*$", "", recorded.read_text(), flags=re.MULTILINE))
    assert contents(tmp_path / "plugin") == contents(written)


def test_the_contract_is_carried_along_as_files(render: Render) -> None:
    root = render()
    assert not (root / "proto").is_symlink()
    for path in (ROOT / "proto").glob("*.proto"):
        assert (root / "proto" / path.name).read_bytes() == path.read_bytes()


def test_the_contract_comes_from_a_git_clone_too(template: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(template, origin, symlinks=True)
    git = ["git", "-C", str(origin), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["tag", "v1.0.0"]):
        subprocess.run([*git, *arguments], check=True)
    copier.run_copy(f"git+file://{origin}", tmp_path / "plugin", defaults=True, quiet=True)
    assert (tmp_path / "plugin/proto/hooks.proto").read_bytes() == (ROOT / "proto/hooks.proto").read_bytes()


def test_the_server_script_can_be_executed(render: Render) -> None:
    assert (render() / "run-server.sh").stat().st_mode & stat.S_IXUSR


def test_the_authors_files_survive_a_second_copy(template: Path, render: Render) -> None:
    root = render(plugin_name="PII Guard")
    yours = [
        "src/pii_guard/plugin.py",
        "tests/test_plugin.py",
        "resources/demo.yaml",
        "resources/plugins/config.yaml",
    ]
    for name in [*yours, "src/pii_guard/runtime/host/plugin.py"]:
        (root / name).write_text("# mine\n")
    copier.run_copy(str(template), root, data={"plugin_name": "PII Guard"}, defaults=True, quiet=True, overwrite=True)
    assert [(root / name).read_text() for name in yours] == ["# mine\n"] * len(yours)
    assert (root / "src/pii_guard/runtime/host/plugin.py").read_text() != "# mine\n"


def test_computed_names_are_not_recorded(render: Render) -> None:
    answers = yaml.safe_load((render(plugin_name="PII Guard") / ".copier-answers.yml").read_text())
    assert answers["plugin_name"] == "PII Guard"
    assert not {"plugin_slug", "package_name", "class_name"} & answers.keys()


def test_the_answers_decide_the_default_transport(render: Render) -> None:
    root = render(transport="grpc")
    assert '"${PLUGINS_TRANSPORT:=grpc}"' in (root / "run-server.sh").read_text()
    assert "#PLUGINS_TRANSPORT=grpc\n" in (root / ".env.template").read_text()


def test_no_recipe_needs_gnu_make(render: Render) -> None:
    text = (render() / "Makefile").read_text()
    for word in ("ifeq", "ifdef", "$(shell", "$(wildcard", "define ", "::=", ".ONESHELL", "$(if", "$(or"):
        assert word not in text
    assert os.linesep.join(["help: ## list the commands"]) in text
