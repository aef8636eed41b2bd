"""`copier update` brings the new runtime and contract, and keeps what the author wrote."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from tests.support.rendering import ROOT

from .test_checks import STYLE, check
from .updating import Checkout, released_template, rendered_from, update

MODULE, RUNTIME = "src/{{package_name}}", "runtime/plugsmith_runtime"
YOURS = ["src/my_plugin/plugin.py", "tests/test_plugin.py", "resources/plugins/config.yaml", "resources/demo.yaml"]
# Its dependencies are those of other tests, whose environment serves here too.
AS_RENDERED = "as-rendered"


def work(plugin: Checkout) -> None:
    """What an author does between two releases of the template."""
    plugin.append("src/my_plugin/plugin.py", "\n\nLIMIT = 10\n")
    plugin.append("tests/test_plugin.py", "\n\ndef test_of_mine() -> None:\n    assert True\n")
    plugin.replace("resources/plugins/config.yaml", "priority: 100", "priority: 7")
    plugin.append("resources/demo.yaml", "\n# More to come.\n")
    plugin.append("Makefile", "\nhello: ## say hello\n\t@echo hello\n")
    plugin.replace("README.md", "## Quick start\n", "## Why\n\nBecause of our words.\n\n## Quick start\n")
    plugin.append("README.md", "\n## Thanks\n\nTo all.\n")
    plugin.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    plugin.replace("pyproject.toml", '    "orjson', '    "idna>=3",\n    "orjson')
    plugin.append(".gitignore", "/notes/\n")
    (plugin.root / "src/my_plugin/words.py").write_text('WORDS = ("tango",)\n')
    (plugin.root / ".env.template").unlink()
    plugin.commit()


def improve(template: Checkout) -> None:
    """What changes between two releases of the template."""
    for name in ("plugin.py", "tests/test_plugin.py", "resources/plugins/config.yaml", "resources/demo.yaml"):
        folder = f"template/{MODULE}/" if name == "plugin.py" else "template/"
        template.append(f"{folder}{name}.jinja", "\n# of the second release\n")
    template.append(f"{RUNTIME}/host/host.py", "\n\nNEWS = 2\n")
    template.append(f"{RUNTIME}/contract/hooks.py", "\nNEWS = 2\n")
    (template.root / f"{RUNTIME}/news.py").write_text('"""New in the second release."""\n')
    template.replace("template/Makefile.jinja", "clean: ##", "news: ## print the news\n\t@echo two\n\nclean: ##")
    template.replace("template/Makefile.jinja", "\t@touch $@ .venv/.installed .venv", "\t@touch .venv/.two $@ .venv")
    template.replace("template/README.md.jinja", "This installs the plugin", "Now this installs the plugin")
    template.replace("template/README.md.jinja", "Yours: no update", "Yours, always: no update")
    template.replace("template/pyproject.toml.jinja", '"pydantic>=2.11,<3"', '"pydantic>=2.11.1,<3"')
    template.replace("template/.env.template.jinja", "\n", "\n# of the second release\n")
    template.commit("v2.0.0")


@pytest.fixture(scope="module")
def updated(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository of the first release, worked in, after an update to the second."""
    folder = tmp_path_factory.mktemp("update")
    origin = released_template(template, folder / "template")
    plugin = rendered_from(origin, folder / "plugin")
    (folder / AS_RENDERED).mkdir()
    shutil.copy(plugin.root / "pyproject.toml", folder / AS_RENDERED)
    work(plugin)
    improve(origin)
    update(plugin)
    return plugin


def test_the_authors_files_are_as_they_were(updated: Checkout) -> None:
    assert updated.git("diff", "--stat", "--", *YOURS, "src/my_plugin/words.py", ".gitignore") == ""
    assert "LIMIT = 10" in updated.read("src/my_plugin/plugin.py")


def test_managed_and_generated_files_are_the_new_ones(updated: Checkout) -> None:
    assert updated.read("src/my_plugin/runtime/host/host.py").endswith("\nNEWS = 2\n")
    assert updated.read("src/my_plugin/runtime/contract/hooks.py").endswith("\nNEWS = 2\n")
    assert (updated.root / "src/my_plugin/runtime/news.py").exists()
    assert yaml.safe_load(updated.read(".copier-answers.yml"))["_commit"] == "v2.0.0"


def test_shared_files_hold_the_authors_changes_and_the_new_text(updated: Checkout) -> None:
    makefile, readme, project = (updated.read(name) for name in ("Makefile", "README.md", "pyproject.toml"))
    assert "\nnews: ##" in makefile
    assert makefile.endswith("\nhello: ## say hello\n\t@echo hello\n")
    assert "Now this installs" in readme
    assert "Yours, always" in readme
    assert "Because of our words." in readme
    assert readme.endswith("\n## Thanks\n\nTo all.\n")
    assert 'version = "0.2.0"' in project
    assert '"idna>=3"' in project
    assert '"pydantic>=2.11.1,<3"' in project


def test_there_are_no_conflicts(updated: Checkout) -> None:
    assert updated.unclean() == []


def test_a_deleted_file_stays_deleted(updated: Checkout) -> None:
    assert not (updated.root / ".env.template").exists()


def test_the_plugin_still_passes_its_tests(updated: Checkout) -> None:
    check(updated.root, ["pytest", "tests/test_plugin.py"], like=updated.root.with_name(AS_RENDERED))


@pytest.mark.full
def test_the_updated_repository_passes_all_its_checks(updated: Checkout) -> None:
    check(updated.root, *STYLE, ["mypy"], ["pytest"], like=updated.root.with_name(AS_RENDERED))


def test_a_second_update_changes_nothing(updated: Checkout) -> None:
    updated.commit()
    update(updated)
    assert updated.git("status", "--porcelain") == ""


def test_the_patterns_of_files_need_no_answers() -> None:
    """An update renders them where answers are not known: with an older template, and before the questions."""
    settings = yaml.safe_load((ROOT / "copier.yml").read_text())
    environment = Environment(undefined=StrictUndefined)
    for pattern in [*settings["_exclude"], *settings["_skip_if_exists"]]:
        environment.from_string(pattern).render()
    assert not [pattern for pattern in settings["_skip_if_exists"] if re.search(r"{[{%]", pattern)]
