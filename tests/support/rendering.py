"""Rendered plugins for tests: the repository as an author gets it, and an environment with what it needs."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
from copier.errors import DirtyLocalWarning

from .environments import environment

ROOT = Path(__file__).resolve().parents[2]

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
    """Render a repository as `copier copy --defaults` does, uncommitted changes of the template included.

    Args:
        dest: the folder to make.
        data: answers to the questions; the others get their defaults.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DirtyLocalWarning)
        copier.run_copy(str(ROOT), dest, data=data, defaults=True, vcs_ref="HEAD", quiet=True)
    return dest


def dependencies(root: Path, *extras: str) -> list[str]:
    """What the rendered pyproject.toml asks for, with some of its extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return wanted


def rendered_plugin(dest: Path, *extras: str, **data: Any) -> RenderedPlugin:
    """Render a repository and give it an environment.

    Args:
        dest: the folder to make.
        extras: extras of the rendered pyproject.toml that the environment holds.
        data: answers to the questions.
    """
    root = render(dest, **data)
    package = next(path.parent.name for path in (root / "src").glob("*/plugin.py"))
    return RenderedPlugin(root, package, environment("rendered", dependencies(root, *extras)))
