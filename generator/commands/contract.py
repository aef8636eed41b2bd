"""`plugsmith contract`: regenerates a checkout's own generated files; `nox -s stubs` calls it."""

import argparse
import sys

from ..paths import checkout_root


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "contract",
        help="regenerate a checkout's own generated files",
        description="Regenerates the runtime's contract/, the digests of its files and its bill of materials, the hook "
        "choices of copier.yml and docs/hooks.md.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; show the differences and exit 1 if any")
    parser.add_argument(
        "--root", metavar="FOLDER", help="the checkout; the one that this command runs from when missing"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Regenerates, or checks.

    Raises:
        PlugsmithError: the contract or the checkout is wrong.
    """
    from ..contract_files import compare, generate, write

    root = checkout_root(args.root)
    differences = compare(root, generate(root))
    if not args.check:
        write(root, differences)
        for difference in differences:
            print(f"{'removed' if difference.new is None else 'wrote'} {difference.path.as_posix()}")
        return 0
    for difference in differences:
        print(difference, end="")
    if differences:
        print(f"{len(differences)} files differ from what is generated; run nox -s stubs", file=sys.stderr)
    return 1 if differences else 0
