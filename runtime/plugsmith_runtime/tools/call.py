"""`call`: run one hook of a running server and show what the plugin changed, or why it blocked."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import Any

from ..cli.terminal import Colours, json_argument
from ..client import Client, ClientTls, connect, new_context
from ..errors import StartError
from ..host.loader import CALLS
from ..plugin_server import options
from ..plugin_server.endpoints import client_tls, own_endpoint
from .reply_text import describe

_RETRY_SECONDS = 0.2


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("call", help="run one hook of a running server", description=__doc__)
    parser.add_argument("hook", choices=CALLS, metavar="HOOK", help=f"one of {', '.join(CALLS)}")
    parser.add_argument("payload", metavar="PAYLOAD", help="the payload as JSON")
    parser.add_argument("--plugin", metavar="NAME", help="the plugin to call [default: the first of the configuration]")
    parser.add_argument("--context", metavar="JSON", help="the plugin context as JSON [default: a new request]")
    parser.add_argument("--endpoint", metavar="URL", help="the server [default: where the configuration puts it]")
    parser.add_argument("--certfile", metavar="FILE", help="the client's certificate, for a server with TLS")
    parser.add_argument("--keyfile", metavar="FILE", help="the client's key, for a server with TLS")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="how long to wait [default: 30]")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for a server to start")
    parser.add_argument("--json", action="store_true", help="print the reply as JSON, nothing else")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Call; the exit code is 0 for a result (allowed, changed or blocked) and 1 for an error reply."""
    path, file, settings = options.load(arguments)
    transport = settings.transports[0]
    endpoint = arguments.endpoint or own_endpoint(settings, transport, str(path))
    tls = settings.grpc.tls if endpoint.startswith("grpc") else settings.http.tls
    payload = json_argument(arguments.payload, "the payload")
    context = json_argument(arguments.context, "the context") if arguments.context else new_context()

    async def main() -> dict[str, Any]:
        certificates = client_tls(tls, arguments.certfile, arguments.keyfile)
        client = await _connect(endpoint, certificates, arguments.timeout, settings.http.token, arguments.wait)
        try:
            return await client.invoke(arguments.hook, arguments.plugin or file.plugins[0].name, payload, context)
        finally:
            await client.close()

    try:
        reply = asyncio.run(main())
    except TimeoutError as error:
        raise StartError(f"{endpoint}: no answer within {arguments.timeout:g} s; give more with --timeout") from error
    except OSError as error:
        raise StartError(f"{endpoint}: cannot reach the server ({error}); is it running (make serve)?") from error
    if arguments.json:
        print(json.dumps(reply, indent=2, ensure_ascii=False))
    else:
        print("\n".join(describe(arguments.hook, payload, context, reply, Colours(sys.stdout))))
    return 1 if "error" in reply else 0


async def _connect(endpoint: str, tls: ClientTls | None, timeout: float, token: str | None, wait: float) -> Client:
    """Connect, again and again for `wait` seconds while nobody listens."""
    end = time.monotonic() + wait
    while True:
        try:
            return await connect(endpoint, tls, timeout, token)
        except OSError:
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(_RETRY_SECONDS)
