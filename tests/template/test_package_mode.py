"""Package mode: the repository depends on plugsmith-runtime, and all else is as in vendored mode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader

from generator import __version__
from tests.support.rendering import ROOT

from .conftest import Render
from .package_mode import runtime_wheel
from .test_checks import check
from .test_make import make
from .updating import Checkout, released_template, rendered_from, update

SAME = [
    "src/my_plugin/plugin.py",
    "src/my_plugin/__init__.py",
    "src/my_plugin/__main__.py",
    "tests/conftest.py",
    "tests/test_plugin.py",
    "tests/test_transports.py",
    "resources/demo.yaml",
    "resources/plugins/config.yaml",
    "run-server.sh",
    ".env.template",
    ".github/workflows/checks.yaml",
    "deploy/container.sh",
]
DOORS = {"MANIFEST.sha256", "__init__.py", "testing/__init__.py", "testing/fixtures.py"}
TARGETS = ["demo", "test", "lint", "typecheck"]


@pytest.fixture
def origin(template: Path, tmp_path: Path) -> Checkout:
    return released_template(template, tmp_path / "template")


def test_the_authors_files_and_commands_are_those_of_vendored_mode(render: Render) -> None:
    vendored, package = render("vendored"), render("package", runtime="package")
    assert [name for name in SAME if (vendored / name).read_bytes() != (package / name).read_bytes()] == []
    targets, more = ({line.split()[0] for line in make(root, "help").splitlines()} for root in (vendored, package))
    assert more - targets == {"wheelhouse"}
    assert targets <= more


def doors(root: Path) -> set[str]:
    """What the repository itself has of the runtime."""
    runtime = root / "src/my_plugin/runtime"
    return {path.relative_to(runtime).as_posix() for path in runtime.rglob("*") if path.is_file()}


def test_only_doors_to_the_runtime_are_in_the_repository(render: Render) -> None:
    root = render(runtime="package")
    assert doors(root) == DOORS
    answers = yaml.safe_load((root / ".copier-answers.yml").read_text())
    assert answers["runtime"] == "package"
    assert not {"vendored", "packaged"} & answers.keys()


def test_its_public_names_are_those_of_the_runtime(render: Render) -> None:
    code = (
        "import plugsmith_runtime as it, my_plugin.runtime as ours, my_plugin.runtime.testing as testing\n"
        "assert all(getattr(ours, name) is getattr(it, name) for name in it.__all__)\n"
        "assert testing.hosted.__module__.startswith('plugsmith_runtime.')"
    )
    path = f"{render(runtime='package') / 'src'}:{ROOT / 'runtime'}"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True)


@pytest.mark.parametrize(
    ("answers", "requirement"),
    [
        ({"_src_path": "/a b/c", "_commit": "v1.0.0"}, "git+file:///a%20b/c@v1.0.0#subdirectory=runtime"),
        ({"_src_path": "gh:o/r", "_commit": "v1"}, "git+https://github.com/o/r.git@v1#subdirectory=runtime"),
        ({"_src_path": "gl:o/r.git", "_commit": "v1"}, "git+https://gitlab.com/o/r.git@v1#subdirectory=runtime"),
        (
            {"_src_path": "git@h.example:o/r.git", "_commit": "v1.0.0-12-g1a2b3c4"},
            "git+ssh://git@h.example/o/r.git@1a2b3c4#subdirectory=runtime",
        ),
        (
            {"_src_path": "https://h.example/r.git", "_commit": "1a2b3c4"},
            "git+https://h.example/r.git@1a2b3c4#subdirectory=runtime",
        ),
        (
            {"_src_path": "git+https://h.example/r", "_commit": "v1"},
            "git+https://h.example/r@v1#subdirectory=runtime",
        ),
        ({"_src_path": "/installed/plugsmith/data"}, f"plugsmith-runtime=={__version__}"),
    ],
)
def test_the_runtime_comes_from_where_the_template_does(answers: dict[str, Any], requirement: str) -> None:
    loader = FileSystemLoader(ROOT)
    environment = Environment(loader=loader, extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"])
    module: Any = environment.get_template("template/_parts/runtime.jinja").module
    assert module.requirement(answers).strip() == requirement
    assert module.version == __version__


def test_the_runtime_of_the_templates_release_is_installed_and_works(origin: Checkout, tmp_path: Path) -> None:
    root = rendered_from(origin, tmp_path / "plugin", "--data", "runtime=package").root
    table = make(root, *TARGETS).splitlines()
    assert {"http", "grpc", "grpc+unix", "unix", "stdio"} <= {line.split()[0] for line in table if line}
    assert f"plugsmith-runtime {__version__} (package)" in make(root, "check")
    assert "plugsmith_runtime.connector.RemotePlugin" in connector(root)


def connector(root: Path) -> str:
    command = [str(root / ".venv/bin/python"), "-m", "my_plugin", "gateway-config", "--connector"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.full
def test_it_works_without_uv(origin: Checkout, tmp_path: Path) -> None:
    make(rendered_from(origin, tmp_path / "plugin", "--data", "runtime=package").root, *TARGETS, with_uv=False)


def test_a_wheel_that_is_there_is_taken_without_git(render: Render, tmp_path: Path) -> None:
    root = render(runtime="package")
    (root / "wheelhouse").mkdir()
    (root / "wheelhouse" / runtime_wheel().name).write_bytes(runtime_wheel().read_bytes())
    make(root, "install", RUNTIME="no-such-source")
    assert (root / ".venv/.installed").exists()


def test_a_source_of_another_version_is_said(render: Render) -> None:
    root = render(runtime="package")
    done = subprocess.run(
        ["make", "install", "RUNTIME=iniconfig"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "name another source with RUNTIME=" in done.stderr


def test_a_repository_moves_to_package_mode_and_back_with_its_authors_work(origin: Checkout, tmp_path: Path) -> None:
    plugin = rendered_from(origin, tmp_path / "plugin")
    before = {path.relative_to(plugin.root): path.read_bytes() for path in (plugin.root / "src").rglob("*.py")}
    plugin.append("src/my_plugin/plugin.py", "\n\nLIMIT = 10\n")
    plugin.append("tests/conftest.py", "\nMINE = True\n")
    plugin.append("Makefile", "\nhello: ## say hello\n\t@echo hello\n")
    plugin.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    plugin.commit()

    update(plugin, "--data", "runtime=package")
    assert plugin.unclean() == []
    assert doors(plugin.root) == DOORS
    project = plugin.read("pyproject.toml")
    assert f'dependencies = ["plugsmith-runtime>={__version__},<' in project
    assert 'version = "0.2.0"' in project
    authors_work(plugin)
    check(plugin.root, ["ruff", "check", "."], ["pytest", "tests/test_plugin.py"])
    plugin.commit()

    update(plugin, "--data", "runtime=vendored")
    assert plugin.unclean() == []
    authors_work(plugin)
    after = {path.relative_to(plugin.root): path.read_bytes() for path in (plugin.root / "src").rglob("*.py")}
    plugins = {Path("src/my_plugin/plugin.py")}
    assert {path: after[path] for path in after.keys() - plugins} == {
        path: before[path] for path in before.keys() - plugins
    }
    plugin.commit()
    update(plugin)
    assert plugin.git("status", "--porcelain") == ""


def authors_work(plugin: Checkout) -> None:
    assert plugin.read("src/my_plugin/plugin.py").endswith("\n\nLIMIT = 10\n")
    assert plugin.read("tests/conftest.py").endswith("\nMINE = True\n")
    assert make(plugin.root, "hello") == "hello\n"
