"""Versions: of Python, of this package, its template and its runtime, and of what it needs."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from ..._version import __version__
from ...errors import StartError
from ...plugin_server.server import load_transport
from ...tls.layout import own_name
from . import Finding, problem
from .managed_files import changed_files

_ANSWERS = Path(".copier-answers.yml")
_NAMED_FILES = 5
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^>;]*(?:>=(?P<least>[0-9.]+))?[^;]*(?:;(?P<marker>.*))?")


def check_versions(package: str, transports: tuple[str, ...]) -> Iterator[Finding]:
    """Check that what the transports need is installed, and new enough.

    Args:
        package: the plugin's package.
        transports: the transports that would be served.
    """
    yield Finding("versions", "ok", f"Python {platform.python_version()}")
    yield _runtime()
    extras = {"grpc"} if {"grpc", "unix"} & set(transports) else set()
    distribution = own_name(package)
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        yield Finding("versions", "note", f"{distribution} is not installed as a package", "make install installs it")
    else:
        yield Finding("versions", "ok", f"{distribution} {installed.version}{_template()}")
        yield from _requirements(installed.requires or [], extras)
    for name in transports:
        try:
            load_transport(name)
        except StartError as error:
            yield problem("versions", error)
        except Exception as error:
            text = f"transport {name} cannot be loaded: {type(error).__name__}: {error}"
            yield Finding("versions", "problem", text, "make install-dev installs what fits together")


def _runtime() -> Finding:
    """The runtime's version, how the plugin has it, and whether its files are those of that version."""
    import_name = __name__.rpartition(".tools.")[0]
    mode = "vendored" if "." in import_name else "package"
    text = f"plugsmith-runtime {__version__} ({mode})"
    changed = changed_files(Path(__file__).parents[2])
    if not changed:
        return Finding("versions", "ok", text)
    named = ", ".join(changed[:_NAMED_FILES]) + (", ..." if len(changed) > _NAMED_FILES else "")
    what = "1 file is" if len(changed) == 1 else f"{len(changed)} files are"
    todo = "an update may conflict there: undo the change, and ask for it in the template"
    return Finding("versions", "note", f"{text}: {what} not as released: {named}", todo)


def _requirements(lines: list[str], extras: set[str]) -> Iterator[Finding]:
    held = []
    for line in lines:
        found = _REQUIREMENT.match(line)
        marker = (found["marker"] or "") if found else ""
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
        if not found or (extra and extra[1] not in extras):
            continue
        target = "make install-grpc" if extra else "make install"
        try:
            version = importlib.metadata.version(found["name"])
        except importlib.metadata.PackageNotFoundError:
            if extra or not marker:  # other markers say for which systems it is
                yield Finding("versions", "problem", f"{found['name']} is not installed", f"{target} installs it")
            continue
        if found["least"] and _parts(version) < _parts(found["least"]):
            text = f"{found['name']} {version} is older than {found['least']}"
            yield Finding("versions", "problem", text, f"touch pyproject.toml && {target} brings a newer one")
        else:
            held.append(f"{found['name']} {version}")
    if held:
        yield Finding("versions", "ok", ", ".join(held))


def _parts(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3]]
    return (*parts, *[0] * (3 - len(parts)))


def _template() -> str:
    """The release of the template that this repository was made or updated from, where it is known."""
    try:
        answers = yaml.safe_load(_ANSWERS.read_text(encoding="utf-8"))
        return f", from the template's {answers['_commit']}"
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return ""
