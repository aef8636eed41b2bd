"""The commands of a rendered repository's README, and of the documents that are about one, do what is said."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.rendering import ROOT
from tests.template.updating import Checkout, rendered_from

from .conftest import Begin
from .steps import read_steps


@pytest.fixture(scope="session")
def template(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project as a release, from which repositories can be rendered and updated."""
    released = Checkout(Path(shutil.copytree(clone, tmp_path_factory.mktemp("released") / "plugsmith", symlinks=True)))
    released.git("add", "--all")
    released.git("commit", "--quiet", "--allow-empty", "--message", "release")
    released.git("tag", "v999.0.0")
    return released


@pytest.fixture
def repository(template: Checkout, tmp_path: Path) -> Checkout:
    return rendered_from(template, tmp_path / "my-plugin")


def sections(text: str) -> dict[str, str]:
    """The parts of a document by their headings; each can be followed by itself."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def follow(text: str, begin: Begin, folder: Path) -> list[str]:
    """Follow a document section by section; returns the headings of those that had something to do."""
    followed = []
    for heading, part in sections(text).items():
        reader = begin(folder)
        # Tests have ports of their own.
        for step in read_steps(part.replace("127.0.0.1:8000", f"127.0.0.1:{reader.environ['PLUGINS_SERVER_PORT']}")):
            reader.follow(step)
            followed.append(heading)
        reader.leave()
    return list(dict.fromkeys(followed))


def test_the_rendered_readme(repository: Checkout, begin: Begin) -> None:
    assert follow(repository.read("README.md"), begin, repository.root) == [
        "Quick start",
        "Daily commands",
        "Mutual TLS",
        "Container",
        "Kubernetes",
        "Updates",
    ]


def test_the_quick_start_where_the_answer_has_other_words(template: Checkout, tmp_path: Path, begin: Begin) -> None:
    options = ["--data", "hooks=[http_auth_check_permission]", "--data", "transport=unix"]
    root = rendered_from(template, tmp_path / "plugin", *options).root
    text = sections((root / "README.md").read_text())["Quick start"]
    assert follow(f"# Quick start\n{text}", begin, root)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["telemetry", "auth", "audit"])
def test_the_readme_of_another_kind(kind: str, template: Checkout, tmp_path: Path, begin: Begin) -> None:
    repository = rendered_from(template, tmp_path / "plugin", "--data", f"kind={kind}")
    repository.append("src/my_plugin/plugin.py", "# mine\n")
    assert "Daily commands" in follow(repository.read("README.md"), begin, repository.root)


@pytest.mark.parametrize("document", ["security", "upgrading"])
def test_documents_about_a_repository(document: str, repository: Checkout, begin: Begin) -> None:
    repository.append("src/my_plugin/plugin.py", "# mine\n")
    assert follow((ROOT / "docs" / f"{document}.md").read_text(), begin, repository.root)
