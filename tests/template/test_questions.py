"""The other answers: what is refused, and what reaches the files unharmed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import ALL_HOOKS, ROOT

from .conftest import Render

COPIER = yaml.safe_load((ROOT / "copier.yml").read_text())
STRANGE = "Ünï \"quoted\" 'single' \\back\\slash {{ 7 * 7 }} # hash: colon, ${x} `tick` 🚀 <b>&amp;"


def project(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return found


def entry(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "resources/plugins/config.yaml").read_text())["plugins"][0]
    return found


def test_nothing_needs_trust() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions", "_external_data"} & COPIER.keys()


def test_the_hooks_are_those_of_the_contract() -> None:
    assert list(COPIER["hooks"]["choices"].values()) == ALL_HOOKS


def test_any_text_arrives_as_it_is(render: Render) -> None:
    root = render(plugin_name="'Quote' \"Guard\" \\", description=STRANGE, author=STRANGE, email="a.b+c@example.org")
    assert project(root)["description"] == STRANGE
    assert project(root)["authors"] == [{"name": STRANGE, "email": "a.b+c@example.org"}]
    assert entry(root)["description"] == STRANGE
    assert entry(root)["author"] == STRANGE
    assert f"Copyright (c) {STRANGE}" in (render("mit", license="MIT", author=STRANGE) / "LICENSE").read_text()


def test_author_and_email_may_stay_empty(render: Render) -> None:
    assert "authors" not in project(render("none"))
    assert project(render("name", author="Ann"))["authors"] == [{"name": "Ann"}]
    assert project(render("mail", email="ann@example.com"))["authors"] == [{"email": "ann@example.com"}]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"description": ""}, "the description is empty"),
        ({"description": "x" * 301}, "longer than 300 characters"),
        ({"description": "two\nlines"}, "the description holds a line break"),
        ({"author": "two\nlines"}, "the author holds a line break"),
        ({"author": "bell\x07"}, "a control character"),
        ({"email": "nobody"}, "this is no e-mail address"),
        ({"email": 'a"b@example.com'}, "this is no e-mail address"),
        ({"email": "a@example.com\n"}, "this is no e-mail address"),
        ({"version": "one"}, "no Python version number"),
        ({"version": ""}, "no Python version number"),
        ({"version": "1.0-"}, "no Python version number"),
        ({"version": "1.0\n"}, "no Python version number"),
        ({"version": '1.0"'}, "no Python version number"),
        ({"hooks": []}, "choose at least one hook"),
        ({"hooks": ["tool_invoke"]}, "Invalid choice"),
        ({"kind": "policy"}, "Invalid choice"),
        ({"transport": "smtp"}, "Invalid choice"),
        ({"license": "GPL"}, "Invalid choice"),
    ],
)
def test_refused(render: Render, answers: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        render(**answers)


@pytest.mark.parametrize("version", ["1", "0.1.0", "1.0a1", "2!1.0rc1.post2.dev3", "1.0.dev0", "1.0+local.7", "v1.2"])
def test_versions_of_pep_440_are_taken(render: Render, version: str) -> None:
    root = render(version=version)
    assert project(root)["version"] == version
    assert entry(root)["version"] == version


def test_hooks_come_in_the_order_of_the_contract_once_each(render: Render) -> None:
    root = render(hooks=["tool_post_invoke", "tool_pre_invoke", "tool_post_invoke"])
    assert entry(root)["hooks"] == ["tool_pre_invoke", "tool_post_invoke"]


@pytest.mark.parametrize(
    ("license", "spdx", "words"),
    [
        ("Apache-2.0", "Apache-2.0", "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"),
        ("MIT", "MIT", "Permission is hereby granted, free of charge"),
        ("BSD-3-Clause", "BSD-3-Clause", "Neither the name of the copyright holder"),
        ("proprietary", "LicenseRef-Proprietary", "All rights reserved"),
    ],
)
def test_licences(render: Render, license: str, spdx: str, words: str) -> None:
    root = render(license=license)
    assert project(root)["license"] == spdx
    text = (root / "LICENSE").read_text()
    assert words in text
    assert license == "Apache-2.0" or "Copyright (c) the authors of my-plugin" in text


@pytest.mark.parametrize("kind", ["telemetry", "auth", "audit"])
def test_a_plugin_for_dockers_gateway_has_nothing_of_contextforge(render: Render, kind: str) -> None:
    root = render(kind=kind)
    assert "hooks" not in entry(root)
    for name in ("compose.yaml", "deploy/gateway-plugins.yaml", "deploy/kubernetes"):
        assert not (root / name).exists(), name
    assert "ContextForge" not in (root / "README.md").read_text()
    assert "X-Plugin-Token" in (root / "README.md").read_text()


def test_hooks_are_the_default_kind(render: Render) -> None:
    named, unnamed = render("named", kind="hooks"), render("unnamed")
    for name in ("README.md", "Makefile", "src/my_plugin/plugin.py", "resources/plugins/config.yaml"):
        assert (named / name).read_bytes() == (unnamed / name).read_bytes()
    assert entry(unnamed)["hooks"] == ["tool_pre_invoke", "tool_post_invoke"]
