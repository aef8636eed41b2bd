"""An update from the layout before the runtime was a package: contract/ and connector/ move below runtime/."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.rendering import ROOT

from .test_checks import STYLE, check
from .test_make import make
from .updating import Checkout, rendered_from, run, update

# The last commit of that layout.
OLD = "59a9719ace7fe768b53fb105903f62b3b8b83f46"
YOURS = [
    "src/my_plugin/plugin.py",
    "src/my_plugin/words.py",
    "tests/test_plugin.py",
    "tests/test_words.py",
    "tests/conftest.py",
    "resources/plugins/config.yaml",
    "resources/demo.yaml",
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A template with two releases: that layout, and what is in this checkout now."""
    folder = tmp_path_factory.mktemp("layout") / "template"
    run("git", "clone", "--quiet", "--no-tags", "--no-checkout", str(ROOT), str(folder), cwd=ROOT)
    template = Checkout(folder)
    known = subprocess.run(["git", "cat-file", "-e", OLD], cwd=folder, capture_output=True, check=False)
    if known.returncode:
        # This checkout is shallow: its own origin has the commit.
        origin = run("git", "remote", "get-url", "origin", cwd=ROOT).strip()
        template.git("fetch", "--quiet", "--depth", "1", origin, OLD)
    template.git("checkout", "--quiet", "--detach", OLD)
    template.git("tag", "v0.0.1")
    return template


def release_this_checkout(template: Checkout) -> None:
    for path in template.root.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, template.root / name
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    template.commit("v0.0.2")


@pytest.fixture(scope="module")
def updated(template: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository of the old layout with work of its author in it, after the update."""
    plugin = rendered_from(template, tmp_path_factory.mktemp("layout") / "plugin")
    assert (plugin.root / "src/my_plugin/contract").is_dir()
    plugin.append("src/my_plugin/plugin.py", "\n\nLIMIT = 10\n")
    (plugin.root / "src/my_plugin/words.py").write_text('WORDS = ("tango",)\n')
    plugin.append("tests/test_plugin.py", "\n\ndef test_of_mine() -> None:\n    assert True\n")
    (plugin.root / "tests/test_words.py").write_text(TEST_OF_THE_AUTHOR)
    plugin.append("tests/conftest.py", "\nMINE = True\n")
    plugin.replace("resources/plugins/config.yaml", "priority: 100", "priority: 7")
    plugin.append("resources/demo.yaml", "\n# More to come.\n")
    plugin.append("Makefile", "\nhello: ## say hello\n\t@echo hello\n")
    plugin.replace("README.md", "## Quick start\n", "## Why\n\nBecause of our words.\n\n## Quick start\n")
    plugin.append("README.md", "\n## Thanks\n\nTo all.\n")
    plugin.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    plugin.append("pyproject.toml", '\n[tool.mine]\nwords = ["tango"]\n')
    plugin.append(".gitignore", "/notes/\n")
    plugin.commit()
    release_this_checkout(template)
    update(plugin)
    return plugin


TEST_OF_THE_AUTHOR = '''"""A test of the author's own."""

from my_plugin.plugin import MyPlugin
from my_plugin.runtime.testing import PluginClient, hosted


async def test_words(plugin: PluginClient) -> None:
    payload = {"name": "search", "args": {"query": "call tango now"}}
    assert (await plugin.call("tool_pre_invoke", payload)).payload["args"] == {"query": "call *** now"}
    async with hosted(MyPlugin, {"forbid": ["tango"]}) as other:
        assert not (await other.call("tool_pre_invoke", payload)).allowed
'''


def test_there_is_no_conflict_and_the_authors_work_is_kept(updated: Checkout) -> None:
    assert updated.unclean() == []
    assert updated.git("diff", "--stat", "--", *YOURS) == ""
    assert make(updated.root, "hello") == "hello\n"
    readme, project = updated.read("README.md"), updated.read("pyproject.toml")
    assert "Because of our words." in readme
    assert readme.endswith("\n## Thanks\n\nTo all.\n")
    assert 'version = "0.2.0"' in project
    assert project.endswith('\n[tool.mine]\nwords = ["tango"]\n')
    assert updated.read(".gitignore").endswith("/notes/\n")


def test_the_layout_is_the_new_one(updated: Checkout, template: Checkout, tmp_path: Path) -> None:
    fresh = rendered_from(template, tmp_path / "my-plugin").root
    expected = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file() and ".git" not in path.parts}
    found = {path.relative_to(updated.root) for path in updated.root.rglob("*") if path.is_file()}
    found = {path for path in found if ".git" not in path.parts and ".venv" not in path.parts}
    found = {path for path in found if not {"__pycache__", ".mypy_cache", ".ruff_cache"} & {*path.parts}}
    assert found - expected == {Path("src/my_plugin/words.py"), Path("tests/test_words.py")}
    assert expected - found == set()
    managed = [path for path in expected if path.is_relative_to("src/my_plugin/runtime")]
    assert [path for path in managed if (fresh / path).read_bytes() != (updated.root / path).read_bytes()] == []


def test_the_updated_repository_passes_its_own_checks(updated: Checkout) -> None:
    check(updated.root, *STYLE, ["mypy"], ["pytest"])
