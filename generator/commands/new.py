"""`plugsmith new DEST`: renders a plugin repository."""

import argparse

from ..questions import parse_data
from ..rendering import render


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "new",
        help="make a plugin repository",
        description="Makes a plugin repository in DEST. Asks for what --data does not say, or takes the defaults.",
        epilog="Example: plugsmith new pii-guard --defaults --data 'plugin_name=PII Guard' "
        "--data hooks=tool_pre_invoke,tool_post_invoke",
    )
    parser.add_argument("dest", metavar="DEST", help="folder to make; it must be missing or empty")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="answer a question; can be given more than once; lists are separated by commas",
    )
    parser.add_argument("--defaults", action="store_true", help="ask nothing: take the default of each open question")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist in DEST")
    parser.add_argument(
        "--template",
        metavar="SOURCE",
        help="folder or Git address of the template; the one of this plugsmith when missing",
    )
    parser.add_argument(
        "--vcs-ref",
        metavar="REF",
        help="tag, branch or commit of a template in Git; HEAD with changes not yet committed, when missing",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Renders the repository.

    Raises:
        PlugsmithError: an answer, the destination or the template is wrong.
    """
    render(
        args.dest,
        parse_data(args.data),
        template=args.template,
        vcs_ref=args.vcs_ref,
        defaults=args.defaults,
        overwrite=args.overwrite,
    )
    return 0
