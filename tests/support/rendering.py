"""Rendered plugins for tests: the repository as an author gets it, and an environment with what it needs."""

from __future__ import annotations

import atexit
import compileall
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import copier

from .environments import environment
from .locking import exclusive

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "runtime" / "plugsmith_runtime"

ALL_HOOKS = [
    "tool_pre_invoke",
    "tool_post_invoke",
    "prompt_pre_fetch",
    "prompt_post_fetch",
    "resource_pre_fetch",
    "resource_post_fetch",
    "agent_pre_invoke",
    "agent_post_invoke",
    "http_pre_request",
    "http_post_request",
    "http_auth_resolve_user",
    "http_auth_check_permission",
]


@dataclass(frozen=True)
class RenderedPlugin:
    """A rendered repository.

    Attributes:
        root: the repository's folder.
        package: the name of its package.
        python: an interpreter that has the repository's dependencies; the package comes by PYTHONPATH.
    """

    root: Path
    package: str
    python: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make the package importable."""
        return {"PYTHONPATH": str(self.root / "src")}


def render(dest: Path, **data: Any) -> Path:
    """Render a repository with the files that `copier copy --defaults` writes, in a quarter of the time.

    Copier renders the template without the runtime's files, which are then copied beside the others.
    tests/template/test_rendering.py holds this against Copier alone.

    Args:
        dest: the folder to make, or to write into.
        data: answers to the questions; the others get their defaults.
    """
    return _render(dest, data, shutil.ignore_patterns("__pycache__"))


def render_compiled(dest: Path, **data: Any) -> Path:
    """Render a repository with compiled modules beside those of the runtime, for tests that run it.

    Test processes that name the same folder share what the first of them renders.

    Args:
        dest: the folder to make.
        data: answers to the questions.
    """
    with exclusive(dest):
        if not dest.exists():
            partial = dest.with_name(f"{dest.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            compileall.compile_dir(RUNTIME, quiet=2)
            _render(partial, data, None).rename(dest)
    return dest


def copy_template(folder: Path) -> Path:
    """Copy the template out of git, so that Copier need not clone it for every rendering.

    Args:
        folder: the folder to make.
    """
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "copier.yml", folder)
    for name in ("template", "proto", "runtime"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def dependencies(root: Path, *extras: str) -> list[str]:
    """What the rendered pyproject.toml asks for, with some of its extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return wanted


def rendered_plugin(dest: Path, *extras: str, **data: Any) -> RenderedPlugin:
    """Render a repository as `render_compiled` does, and give it an environment.

    Args:
        dest: the folder to make.
        extras: extras of the rendered pyproject.toml that the environment holds.
        data: answers to the questions.
    """
    render_compiled(dest, **data)
    package = next(path.parent.name for path in (dest / "src").glob("*/plugin.py"))
    return RenderedPlugin(dest, package, environment("rendered", dependencies(dest, *extras)))


def _render(dest: Path, data: dict[str, Any], ignore: Callable[..., set[str]] | None) -> Path:
    copier.run_copy(str(_template_without_runtime()), dest, data=data, defaults=True, quiet=True)
    for marker in dest.glob("src/*/runtime/_version.py"):
        shutil.copytree(RUNTIME, marker.parent, ignore=ignore, dirs_exist_ok=True)
        if data.get("kind", "hooks") != "hooks":
            shutil.rmtree(marker.parent / "connector")
    return dest


@cache
def _template_without_runtime() -> Path:
    """A copy of the template whose runtime is one file, by which the place of the others is known."""
    folder = Path(tempfile.mkdtemp(prefix="ps-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(ROOT / "copier.yml", folder)
    for name in ("template", "proto"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True)
    links = [path for path in folder.glob("template/src/*/*") if path.is_symlink() and not path.exists()]
    assert links, "the template has no link to the runtime"
    for link in links:
        link.unlink()
        link.mkdir()
        shutil.copy(RUNTIME / "_version.py", link)
    return folder
