"""What must be true before a version is tagged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator import __version__
from tests.support.rendering import ROOT
from tests.template.updating import Checkout, rendered_from, run, update

pytestmark = pytest.mark.release

# Before the first tag there are repositories that were rendered from main all the same.
BEFORE_THE_FIRST = "HEAD~20"
NEXT = "v9999.0.0"


def test_the_changelog_tells_of_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = dict(re.findall(r"^## \[([^\]]+)\][^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert re.search(r"^- ", sections[__version__], re.MULTILINE)
    assert not re.search(r"^- ", sections.get("Unreleased", ""), re.MULTILINE)


def test_the_tree_is_clean() -> None:
    assert run("git", "status", "--porcelain", cwd=ROOT) == ""


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository of the last release with work of its author in it, after an update to what is to be released."""
    folder = tmp_path_factory.mktemp("release")
    run("git", "clone", "--quiet", str(ROOT), str(folder / "template"), cwd=ROOT)
    template = Checkout(folder / "template")
    tags = template.git("tag", "--list", "v*", "--sort=-version:refname").split()
    base = tags[0] if tags else BEFORE_THE_FIRST
    if not tags:
        template.git("tag", "v0.0.0", base)
    plugin = rendered_from(template, folder / "plugin")
    plugin.append("src/my_plugin/plugin.py", "\n\nLIMIT = 10\n")
    plugin.append("Makefile", "\nhello: ## say hello\n\t@echo hello\n")
    plugin.commit()
    template.git("tag", NEXT)
    update(plugin)
    return plugin


def test_an_update_from_the_last_tag_leaves_no_conflict(updated: Checkout) -> None:
    assert updated.unclean() == []
    assert f"_commit: {NEXT}" in updated.read(".copier-answers.yml")
    assert updated.read("src/my_plugin/plugin.py").endswith("\n\nLIMIT = 10\n")
    assert run("make", "-s", "hello", cwd=updated.root) == "hello\n"


def test_the_updated_repository_passes_its_own_checks(updated: Checkout, tmp_path: Path) -> None:
    run("make", "test", "lint", "typecheck", cwd=updated.root)
