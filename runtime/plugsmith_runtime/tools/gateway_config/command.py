"""`gateway-config`: print the gateway's plugins file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from ...plugin_server import options
from ...tls.layout import DEFAULT_FOLDER, CertificateLayout
from .connector_file import connector_document
from .gateway_file import document, find_shim_dir, needs_shim, start_note

LOOPBACK_NOTE = (
    "The gateway refuses plugin addresses on loopback unless it runs with PLUGINS_SSRF_PROTECTION_ENABLED=false."
)
SHIM_NOTE = (
    "PlainContext runs inside the gateway: over gRPC and the Unix socket, the clients of gateways 1.0.0 to 1.1.0 fail\n"
    "on the context of tool hooks. Start the gateway with PYTHONPATH={folder},\n"
    "where plain_context.py lies: plugin_dirs counts only below its working folder and /var/lib/cpex/plugins, and not\n"
    "for gateway 1.0.0."
)
CONNECTOR_NOTE = "The connector runs inside the gateway: install this package with the extra connector there."


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("gateway-config", help="print the gateway's plugins file", description=__doc__)
    parser.add_argument("--client-dir", metavar="DIR", help="folder with the gateway's client.crt, client.key, ca.crt")
    parser.add_argument("--connector", action="store_true", help="entries for the connector, which runs in the gateway")
    parser.add_argument("--shim-dir", metavar="DIR", help="folder where the gateway finds plain_context.py")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a file that serves all plugins, one for each transport; notes go to standard error."""
    path, file, settings = options.load(arguments)
    client_dir = Path(arguments.client_dir or CertificateLayout(Path(DEFAULT_FOLDER)).gateway.folder).absolute()
    documents = []
    notes = []
    for transport in settings.transports:
        if arguments.connector:
            notes.append(CONNECTOR_NOTE)
            documents.append(connector_document(file, settings, transport, client_dir))
            continue
        shim_dir = None
        if needs_shim(transport):
            shim_dir = arguments.shim_dir or str(find_shim_dir(path, settings.package))
            notes.append(SHIM_NOTE.format(folder=shim_dir))
        documents.append(document(file, settings, transport, path, client_dir, shim_dir))
        if transport == "http" and not settings.http.uds and settings.http.host in ("127.0.0.1", "::1"):
            notes.append(LOOPBACK_NOTE)
    if not arguments.connector and (note := start_note(file)):
        notes.append(note)
    for number, (transport, content) in enumerate(zip(settings.transports, documents, strict=True)):
        if len(documents) > 1:
            # A gateway takes one of them.
            print(f"{'---' if number else ''}\n# over {transport}".lstrip())
        print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), end="")
    for note in dict.fromkeys(notes):
        print(note, file=sys.stderr)
    return 0
