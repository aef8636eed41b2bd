"""The public names: what is listed exists, and what type checkers see is what is listed."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import plugsmith_runtime
import plugsmith_runtime.testing
import pytest
from plugsmith_runtime.contract import hooks

ROOT = Path(plugsmith_runtime.__file__).parent
TESTING_MODULES = ("certificates", "client", "hosting", "serving")
HEAVY = ("pydantic", "yaml", "google", "orjson", "grpc")


def _packages_with_all() -> list[str]:
    """The packages whose `__init__` lists public names."""
    found = []
    for module in pkgutil.walk_packages([str(ROOT)], "plugsmith_runtime."):
        source = ROOT.joinpath(*module.name.split(".")[1:], "__init__.py")
        if module.ispkg and "__all__" in source.read_text():
            found.append(module.name)
    return found


# The connector needs the framework of a gateway to be imported; tests/connector imports it there.
PACKAGES = [name for name in _packages_with_all() if name != "plugsmith_runtime.connector"]


def test_some_packages_list_their_names() -> None:
    assert {"plugsmith_runtime.client", "plugsmith_runtime.testing"} <= {*PACKAGES}


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_lists_is_what_it_offers(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__ == sorted(set(module.__all__)), "each name once, in order"
    assert all(hasattr(module, listed) for listed in module.__all__)
    own = {
        word
        for word, value in vars(module).items()
        if not word.startswith("_") and str(getattr(value, "__module__", "")).startswith(f"{name}.")
    }
    assert own <= {*module.__all__}, "what comes from the package's modules is listed"


def test_authors_names_are_what_type_checkers_see() -> None:
    tree = ast.parse(Path(plugsmith_runtime.__file__).read_text())
    seen = {
        alias.asname: statement.module
        for statement in ast.walk(tree)
        if isinstance(statement, ast.ImportFrom) and statement.level == 1
        for alias in statement.names
        if alias.asname
    }
    listed: list[str] = getattr(plugsmith_runtime, "__all__")  # noqa: B009 - type checkers do not see it
    assert {*listed} == {*seen, *hooks.__all__}
    assert len(listed) == len({*listed})
    for name in listed:
        value = getattr(plugsmith_runtime, name)
        source = importlib.import_module(f"plugsmith_runtime.{seen.get(name, 'contract.hooks')}")
        assert value is getattr(source, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    for name in ("Nothing", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(plugsmith_runtime, name)


def test_the_names_for_authors_tests_stay_what_they_are() -> None:
    testing = plugsmith_runtime.testing
    modules = [importlib.import_module(f"plugsmith_runtime.testing.{name}") for name in TESTING_MODULES]
    assert testing.__all__ == [
        "Answer",
        "Certificates",
        "PluginClient",
        "PluginServer",
        "hosted",
        "served",
        "socket_folder",
        "throwaway_certificates",
    ]
    for name in testing.__all__:
        value = getattr(testing, name)
        assert any(vars(module).get(name) is value for module in modules)


def test_the_package_itself_loads_nothing_heavy() -> None:
    script = f"import plugsmith_runtime.errors, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]"
