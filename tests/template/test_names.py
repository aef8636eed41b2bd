"""What becomes of a plugin's name, and which names are refused, with what message."""

from __future__ import annotations

import builtins
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.sandbox import SandboxedEnvironment

from tests.support.rendering import ROOT, RenderedPlugin
from tests.support.serving import environ

from .conftest import Render


@pytest.fixture(scope="module")
def names() -> Any:
    """The macros of names.jinja, in an environment like Copier's."""
    environment = SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template/_parts/names.jinja").module


def run(plugin: RenderedPlugin, script: str) -> list[str]:
    """The words that a script prints in a rendered plugin's environment."""
    done = subprocess.run(
        [plugin.python, "-c", script], env=environ(plugin), capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("name", "slug", "class_name"),
    [
        ("PII Guard", "pii-guard", "PiiGuard"),
        ("pii-guard", "pii-guard", "PiiGuard"),
        ("  Spaced   out  ", "spaced-out", "SpacedOut"),
        ('Bob\'s "R&D" \\ filter!', "bobs-r-d-filter", "BobsRDFilter"),
        ("Müllers Größe", "muellers-groesse", "MuellersGroesse"),
        ("Mu\u0308ller e\u0301te\u0301", "mueller-ete", "MuellerEte"),
        ("Łódź Ærø Þór İstanbul", "lodz-aero-thor-istanbul", "LodzAeroThorIstanbul"),
        ("Đặng Nguyễn", "dang-nguyen", "DangNguyen"),
        ("Guard 2 Go", "guard-2-go", "Guard2Go"),
        ("Rocket 🚀 guard", "rocket-guard", "RocketGuard"),
        ("x", "x", "X"),
        ("a" * 40, "a" * 40, "A" + "a" * 39),
    ],
)
def test_accepted(names: Any, name: str, slug: str, class_name: str) -> None:
    assert names.name_problem(name).strip() == ""
    assert names.slug(name) == slug
    assert names.package(name) == slug.replace("-", "_")
    assert names.class_name(name) == class_name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "the name is empty"),
        ("   ", "the name is empty"),
        ("!?&", "holds only symbols"),
        ("🚀", "holds only symbols"),
        ("123abc", "starts with a digit"),
        ("3D Guard", "starts with a digit"),
        ("class", "'class' is a Python keyword"),
        ("None", "'none' is a Python keyword"),
        ("JSON", "'json' is a module of Python's standard library"),
        ("test", "'test' is a module of Python's standard library"),
        ("pydantic", "'pydantic' is a package that the plugin itself or its gateway uses"),
        ("Typing Extensions", "'typing_extensions' is a package"),
        ("tests", "'tests' has a meaning of its own"),
        ("aux", "'aux' has a meaning of its own"),
        ("Plugin", "'Plugin' would be the plugin's class"),
        ("Plugin Context", "'PluginContext' would be the plugin's class"),
        ("Value error", "'ValueError' would be the plugin's class"),
        ("a" * 41, "of 41 characters; at most 40"),
        ("Щит", "the name holds щ и т, which cannot be spelt"),
        ("盾", "the name holds 盾, which cannot be spelt"),
        ("guard²", "the name holds ², which cannot be spelt"),
        ("two\nlines", "holds a line break"),
        ("bell\x07", "holds a line break, a control character"),
        ("rtl\u202egnihton", "or an invisible character"),
    ],
)
def test_refused_in_one_line(names: Any, name: str, reason: str) -> None:
    problem = names.name_problem(name).strip()
    assert reason in problem
    assert "\n" not in problem.replace(name.strip(), "") if name.strip() else True


def test_copier_shows_the_reason_and_writes_nothing(render: Render, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("question 'plugin_name': 'json' is a module of Python's standard")):
        render(plugin_name="json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("computed", ["plugin_slug", "package_name", "class_name"])
def test_computed_names_cannot_be_given(render: Render, computed: str) -> None:
    with pytest.raises(ValueError, match="made from plugin_name; leave it out"):
        render(**{computed: "json"})


def test_every_keyword_and_standard_module_is_refused(names: Any) -> None:
    modules = [name for name in sys.stdlib_module_names if not name.startswith("_")]
    for name in [*keyword.kwlist, *modules]:
        assert names.name_problem(name).strip(), name


def test_every_built_in_class_is_refused(names: Any) -> None:
    for name in dir(builtins):
        words = re.findall("[A-Z][a-z]+", name)
        if "".join(words) == name:
            assert names.name_problem(" ".join(words)).strip(), name


def test_every_class_of_the_runtime_is_refused(names: Any, rendered: RenderedPlugin) -> None:
    for name in run(rendered, f"import {rendered.package}.runtime as runtime; print(*runtime.__all__)"):
        words = re.findall("[A-Z][a-z]+", name)
        if "".join(words) == name:
            assert names.name_problem(" ".join(words)).strip(), name


def test_the_dependencies_and_their_modules_are_refused(names: Any, rendered: RenderedPlugin) -> None:
    installed = run(
        rendered,
        "from importlib.metadata import distributions, packages_distributions as modules;"
        "print(*modules(), *(found.name for found in distributions()))",
    )
    for name in installed:
        if name[0].isalpha() and name.isascii():
            assert names.name_problem(name).strip(), name
