"""Inventory of rendered repositories: versions, changed managed files, and updates that wait."""

import glob
import os
import re
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version
from plugsmith_runtime.tools.check.managed_files import changed_files

from .errors import PlugsmithError

ANSWERS = ".copier-answers.yml"
_GIT_TIMEOUT_SECONDS = 20.0
_DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<commits>\d+)-g[0-9a-f]+")
_NUMBER = re.compile(r"""__version__ = ["']([^"']+)["']""")
_REQUIREMENT = re.compile(
    r"plugsmith-runtime\s*(?:\[[^]]*\])?\s*(?:@\s*\S+?@(?P<tag>[^#\s]+)|(?:>=|==|~=)\s*(?P<least>[^,;\s]+))"
)
# Copier's short forms of addresses.
_HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}


@dataclass(frozen=True)
class Repository:
    """What is known of one rendered repository.

    Attributes:
        folder: where it is.
        name: the plugin's name.
        kind: what the plugin is for.
        template: the release of the template that it was rendered or updated from; None when it is not recorded.
        source: the template's address; None when it is not recorded.
        runtime: the version of its runtime; None when it is unknown, as before there was one.
        mode: "vendored", "package", or "unknown" for a layout of another time.
        changed: managed files that were changed by hand, by their path in the repository; None when nothing tells.
        update: the release of the template that waits; "" for none, None when the template was not reached.
    """

    folder: Path
    name: str
    kind: str
    template: str | None
    source: str | None
    runtime: str | None
    mode: str
    changed: list[str] | None
    update: str | None

    def is_behind(self, least: Version) -> bool:
        """Returns whether the runtime is older than a version, or of an unknown one."""
        found = parse_version(self.runtime or "")
        return found is None or found < least


def find_repositories(patterns: Sequence[str]) -> list[Path]:
    """Returns the folders of rendered repositories, in the order of the patterns, each once.

    Args:
        patterns: folders, or globs of which only the folders count that hold a rendered repository.

    Raises:
        PlugsmithError: a folder is no rendered repository, or a glob finds none.
    """
    problems: list[str] = []
    found: dict[Path, Path] = {}
    for pattern in patterns:
        named = Path(pattern)
        if named.is_dir():
            matches = [named]
            if not (named / ANSWERS).is_file():
                problems.append(f"{pattern}: no rendered repository ({ANSWERS} is missing); name a folder that has one")
        else:
            matches = [Path(path) for path in sorted(glob.glob(pattern, recursive=True))]
            matches = [path for path in matches if (path / ANSWERS).is_file()]
            if not matches:
                problems.append(f"{pattern}: no rendered repository there; name folders that hold {ANSWERS}")
        found |= {path.resolve(): path for path in matches}
    if problems:
        raise PlugsmithError(*problems)
    return list(found.values())


def inspect(folder: Path, *, offline: bool = False) -> Repository:
    """Returns what is known of a repository.

    Args:
        folder: the repository.
        offline: do not ask the template's source for newer releases.

    Raises:
        PlugsmithError: its answers or its pyproject.toml cannot be read.
    """
    answers = _answers(folder / ANSWERS)
    template, source = answers.get("_commit"), answers.get("_src_path")
    mode, runtime, changed = _runtime(folder)
    return Repository(
        folder=folder,
        name=str(answers.get("plugin_name", folder.resolve().name)),
        kind=str(answers.get("kind", "hooks")),
        template=str(template) if template else None,
        source=str(source) if source else None,
        runtime=runtime,
        mode=mode,
        changed=changed,
        update=_update(str(source), str(template)) if source and template and not offline else None,
    )


def parse_version(text: str) -> Version | None:
    """Returns the version that a tag, or what `git describe` makes of one, stands for; None when it is none."""
    described = _DESCRIBED.fullmatch(text)
    try:
        return Version(f"{described['tag']}.post{described['commits']}" if described else text)
    except InvalidVersion:
        return None


def _answers(path: Path) -> dict[str, Any]:
    try:
        answers = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlugsmithError(f"{path}: cannot be read ({_first_line(error)}); restore it from git") from error
    if not isinstance(answers, dict):
        raise PlugsmithError(f"{path}: holds no answers; restore it from git")
    return answers


def _runtime(folder: Path) -> tuple[str, str | None, list[str] | None]:
    """Returns the mode, the version and the changed files."""
    found = next(iter(sorted(folder.glob("src/*/runtime/__init__.py"))), None)
    if found is None:
        return "unknown", None, None
    runtime = found.parent
    inside = changed_files(runtime)
    changed = None if inside is None else [(runtime / name).relative_to(folder).as_posix() for name in inside]
    version = runtime / "_version.py"
    if version.is_file():
        number = _NUMBER.search(version.read_text(encoding="utf-8", errors="replace"))
        return "vendored", number[1] if number else None, changed
    requirement = _requirement(folder / "pyproject.toml")
    if requirement is None:
        return "unknown", None, changed
    least = _REQUIREMENT.match(requirement)
    return "package", (least["least"] or least["tag"].removeprefix("v")) if least else None, changed


def _requirement(path: Path) -> str | None:
    """Returns what a pyproject.toml asks for of plugsmith-runtime; None when it does not depend on it."""
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise PlugsmithError(f"{path}: cannot be read ({_first_line(error)}); put it right") from error
    return next((line for line in project.get("dependencies", []) if line.startswith("plugsmith-runtime")), None)


def _update(source: str, template: str) -> str | None:
    refs = _references(source)
    if refs is None:
        return None
    tags = {name: parse_version(name) for ref in refs if (name := ref.removeprefix("refs/tags/")) != ref}
    released = {name: version for name, version in tags.items() if version and not version.is_prerelease}
    if not released:
        # Without releases, an update takes the last commit.
        return "" if refs["HEAD"].startswith(template.rpartition("-g")[2]) else refs["HEAD"][:7]
    newest = max(released, key=lambda name: released[name])
    current = parse_version(template)
    return newest if current is None or current < released[newest] else ""


@cache
def _references(source: str) -> dict[str, str] | None:
    """Returns the commits of the tags and of HEAD at a template's source; None when it does not answer."""
    address = source.removeprefix("git+")
    for short, host in _HOSTS.items():
        if address.startswith(short):
            address = f"{host}{address.removeprefix(short)}"
    command = ["git", "ls-remote", "--quiet", "--", os.path.expanduser(address), "HEAD", "refs/tags/*"]
    environ = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    try:
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=_GIT_TIMEOUT_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    refs = {name: commit for commit, _, name in (line.partition("\t") for line in done.stdout.splitlines())}
    return refs if done.returncode == 0 and "HEAD" in refs else None


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "strerror", None) or error).splitlines() or [type(error).__name__])[0]
