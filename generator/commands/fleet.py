"""`plugsmith fleet DIR...`: says which of many repositories run which runtime, and what waits for them."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import PlugsmithError

if TYPE_CHECKING:
    from ..fleet import Repository

_HEADINGS = ("name", "kind", "template", "runtime", "mode", "changed", "update", "folder")
_UNKNOWN = "unknown"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "fleet",
        help="list plugin repositories with their versions and what waits for them",
        description="Lists rendered repositories: the releases of their template and of their runtime, managed files "
        "that were changed by hand, and the template's release that `make update` would take. The template's source is "
        "asked for it; where it does not answer, the update is unknown.",
        epilog="Example: plugsmith fleet --at-least 0.1.1 'plugins/*'",
    )
    parser.add_argument("folders", nargs="+", metavar="DIR", help="repositories, or globs of them")
    parser.add_argument(
        "--at-least", metavar="VERSION", help="exit 1 when the runtime of one is older, or of an unknown version"
    )
    parser.add_argument("--offline", action="store_true", help="do not ask for newer releases of the template")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lists the repositories.

    Returns:
        0, or 1 when one is behind `--at-least`.

    Raises:
        PlugsmithError: the version is none, or a folder is no rendered repository.
    """
    from ..fleet import find_repositories, inspect, parse_version

    least = parse_version(args.at_least) if args.at_least is not None else None
    if args.at_least is not None and least is None:
        raise PlugsmithError(f"--at-least {args.at_least!r}: no version number; write it as 0.1.0")
    found = [inspect(folder, offline=args.offline) for folder in find_repositories(args.folders)]
    if args.json:
        print(json.dumps([_as_json(repository) for repository in found], indent=2, ensure_ascii=False))
    else:
        _print_table([_HEADINGS, *(_row(repository) for repository in found)])
    behind = [repository for repository in found if least and repository.is_behind(least)]
    for repository in behind:
        print(
            f"{repository.folder}: runtime {repository.runtime or _UNKNOWN}, not {args.at_least} or later; "
            "make update brings a newer one",
            file=sys.stderr,
        )
    return 1 if behind else 0


def _as_json(repository: "Repository") -> dict[str, Any]:
    return {
        "folder": str(repository.folder),
        "name": repository.name,
        "kind": repository.kind,
        "template": {"source": repository.source, "version": repository.template, "update": repository.update},
        "runtime": {"version": repository.runtime, "mode": repository.mode},
        "changed": repository.changed,
    }


def _row(repository: "Repository") -> tuple[str, ...]:
    return (
        repository.name,
        repository.kind,
        repository.template or _UNKNOWN,
        repository.runtime or _UNKNOWN,
        repository.mode,
        _UNKNOWN if repository.changed is None else str(len(repository.changed)),
        _UNKNOWN if repository.update is None else repository.update or "none",
        str(repository.folder),
    )


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
