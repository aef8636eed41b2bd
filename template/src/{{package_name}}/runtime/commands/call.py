"""`call`: run one hook of a running server and print what came back."""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from typing import Any

from ...contract.hooks import HOOKS
from ..clients import connect
from ..errors import StartError
from . import options
from .endpoints import client_tls, own_endpoint


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("call", help="run one hook of a running server", description=__doc__)
    parser.add_argument("hook", choices=list(HOOKS), metavar="HOOK", help=f"one of {', '.join(HOOKS)}")
    parser.add_argument("payload", metavar="PAYLOAD", help="the payload as JSON")
    parser.add_argument("--plugin", metavar="NAME", help="the plugin to call [default: the first of the configuration]")
    parser.add_argument("--context", metavar="JSON", help="the plugin context as JSON [default: a new request]")
    parser.add_argument("--endpoint", metavar="URL", help="the server [default: where the configuration puts it]")
    parser.add_argument("--certfile", metavar="FILE", help="the client's certificate, for a server with TLS")
    parser.add_argument("--keyfile", metavar="FILE", help="the client's key, for a server with TLS")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="how long to wait [default: 30]")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Call; the exit code is 0 for a result (allowed, changed or blocked) and 1 for an error reply."""
    path, file, settings = options.load(arguments)
    transport = settings.transports[0]
    endpoint = arguments.endpoint or own_endpoint(settings, transport, str(path))
    tls = settings.grpc.tls if endpoint.startswith("grpc") else settings.http.tls
    payload = _json(arguments.payload, "the payload")
    context = _json(arguments.context, "the context") if arguments.context else new_context()

    async def main() -> dict[str, Any]:
        certificates = client_tls(tls, arguments.certfile, arguments.keyfile)
        client = await connect(endpoint, certificates, arguments.timeout)
        try:
            return await client.invoke(arguments.hook, arguments.plugin or file.plugins[0].name, payload, context)
        finally:
            await client.close()

    try:
        reply = asyncio.run(main())
    except TimeoutError as problem:
        raise StartError(f"{endpoint}: no answer within {arguments.timeout:g} s; give more with --timeout") from problem
    except OSError as problem:
        raise StartError(f"{endpoint}: cannot reach the server ({problem}); is it running (make serve)?") from problem
    print(json.dumps(reply, indent=2, ensure_ascii=False))
    return 1 if "error" in reply else 0


def new_context() -> dict[str, Any]:
    """A plugin context for a request of its own."""
    return {"global_context": {"request_id": uuid.uuid4().hex}, "state": {}, "metadata": {}}


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise StartError(f"{what} is not JSON: {problem}") from problem
