"""`certs`: make, renew and check the certificates for TLS between the gateway and this plugin."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StartError
from ...tls.layout import DEFAULT_FOLDER

if TYPE_CHECKING:
    from .manager import Outcome

_TARGETS = {
    "ca": "make or renew the authority that signs the others",
    "gateway": "make or renew the gateway's client certificate",
    "plugin": "make or renew this plugin's server certificate",
    "all": "make or renew all three",
    "check": "show all certificates; exit 1 when one is expired, about to expire or wrong",
}


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("certs", help="make and check certificates for TLS", description=__doc__)
    targets = parser.add_subparsers(dest="target", required=True, metavar="TARGET")
    for target, text in _TARGETS.items():
        _add_options(targets.add_parser(target, help=text, description=text), target)
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser, target: str) -> None:
    option = parser.add_argument
    option("--dir", default=DEFAULT_FOLDER, metavar="DIR", help="folder of the certificates (default: %(default)s)")
    if target == "check":
        option("--days", type=int, help="days that each must still hold (default: 30, or a third of its lifetime)")
    elif target == "ca":
        option("--days", type=int, help="lifetime in days (default and limit: 3650)")
    else:
        option("--days", type=int, help="lifetime in days [MCP_CERT_DAYS; default: 365, limit: 825]")
    if target in ("gateway", "plugin", "all"):
        whose = "the server's" if target == "all" else "the certificate's"
        option("--host", action="append", default=[], help=f"further name or address in {whose} names; repeatable")
    if target in ("plugin", "all"):
        option("--name", help="name of the plugin (default: this package's)")
    if target != "check":
        option("--key-type", choices=("ec", "rsa"), default="ec", help="EC P-256 or RSA 4096 (default: %(default)s)")
        option("--force", action="store_true", help="replace even what is good")
    for prefix, whose in (("", "the key"), ("ca-", "the authority's key")):
        if prefix or target != "ca":
            option(f"--{prefix}passphrase-file", metavar="FILE", help=f"file whose first line encrypts {whose}")
            option(f"--{prefix}passphrase-env", metavar="NAME", help=f"variable whose value encrypts {whose}")


def run(arguments: argparse.Namespace) -> int:
    """Make or check certificates; the exit code is 1 when a check found something."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise StartError("the certs command needs the package cryptography: install the extra 'certs'") from None
    try:
        return _check(arguments) if arguments.target == "check" else _make(arguments)
    except OSError as error:
        raise StartError(
            f"{error.filename or arguments.dir}: {error.strerror}: give a folder that can be written"
        ) from None


def _make(arguments: argparse.Namespace) -> int:
    from ...tls.layout import CertificateLayout, own_name
    from .manager import CertificateManager
    from .profile import ca_days, general_name, leaf_days

    target = arguments.target
    layout = CertificateLayout(Path(arguments.dir))
    manager = CertificateManager(
        layout,
        key_type=arguments.key_type,
        passphrase=_passphrase(arguments, ""),
        ca_passphrase=_passphrase(arguments, "ca_"),
        force=arguments.force,
    )
    if target == "ca":
        _report(manager.ensure_ca(ca_days(arguments.days), arguments.force))
        return 0
    days = leaf_days(arguments.days, os.environ)
    for host in getattr(arguments, "host", []):
        general_name(host)  # refused before anything is written
    leaves = []
    if target in ("gateway", "all"):
        leaves.append((layout.gateway, arguments.host if target == "gateway" else []))
    if target in ("plugin", "all"):
        name = own_name(arguments.package) if arguments.name is None else arguments.name
        leaves.append((layout.plugin(name), arguments.host))
    # A new authority makes all leaves invalid, so --force makes one only when it makes all leaves anew too.
    _report(manager.ensure_ca(ca_days(None), force=manager.force and target == "all"))
    for paths, hosts in leaves:
        _report(manager.ensure_leaf(paths, days, hosts))
    if target != "plugin" and manager.passphrase:
        print("note: gateways read an encrypted client key over HTTP, but not over gRPC", file=sys.stderr)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from ...tls.layout import CertificateLayout
    from .inspection import format_table, inspect_all

    layout = CertificateLayout(Path(arguments.dir))
    passphrases = _passphrase(arguments, ""), _passphrase(arguments, "ca_")
    inspections = inspect_all(layout, *passphrases, arguments.days)
    if not inspections:
        print(f"no certificates in {layout.root}: make them with `certs all`", file=sys.stderr)
        return 1
    print(format_table(inspections, layout))
    return 1 if any(inspection.problems for inspection in inspections) else 0


def _report(outcome: Outcome) -> None:
    end = outcome.certificate.not_valid_after_utc
    reason = f" ({outcome.reason})" if outcome.reason else ""
    print(f"{outcome.action:8}{outcome.paths.certificate}, valid until {end:%Y-%m-%d}{reason}")


def _passphrase(arguments: argparse.Namespace, prefix: str) -> bytes | None:
    path = getattr(arguments, f"{prefix}passphrase_file", None)
    variable = getattr(arguments, f"{prefix}passphrase_env", None)
    if path:
        text = (Path(path).read_text().splitlines() or [""])[0]
    elif variable:
        text = os.environ.get(variable, "")
    else:
        return None
    if not text:
        raise StartError(f"the passphrase in {path or variable} is empty: set it, or leave the option out")
    return text.encode()
