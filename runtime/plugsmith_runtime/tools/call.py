"""`call`: run one hook of a running server and show what the plugin changed, or why it blocked."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from ..cli import Colours, json_argument
from ..client import Client, ClientTls, connect, new_context
from ..contract.hooks import HOOKS
from ..errors import StartError
from ..host.loader import CALLS
from ..plugin_server import options
from ..plugin_server.endpoints import client_tls, own_endpoint

_RETRY_SECONDS = 0.2
_CONTEXT_LINES = 4
_SIGNS = {"+": "green", "-": "red"}
# The results of these hooks are maps of headers; this is the part of the payload that they replace.
_HEADERS = {"http_pre_request": "headers", "http_post_request": "response_headers"}


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


def describe(hook: str, payload: Any, context: dict[str, Any], reply: dict[str, Any], colours: Colours) -> list[str]:
    """Say what came back from a hook.

    Args:
        hook: the hook's wire name.
        payload: the payload that was sent.
        context: the context that was sent.
        reply: plugin_name, result or error, context.
        colours: for the terminal.
    """
    plugin = reply["plugin_name"]
    if "error" in reply:
        error = reply["error"]
        return [f"{colours('error', 'red', 'bold')} of {plugin} at {hook}: {error['code']}: {error['message']}"]
    result = reply["result"]
    changed = result.get("modified_payload")
    if not result["continue_processing"]:
        lines = [f"{colours('blocked', 'red', 'bold')} by {plugin} at {hook}"]
        lines += [f"  {name}: {_text(value)}" for name, value in (result.get("violation") or {}).items() if value]
    else:
        before = replaced_part(hook, payload)
        after = None if changed is None else without_additions(changed, before)
        if changed is None or after == before:
            lines = [f"{colours('allowed', 'green', 'bold')} by {plugin} at {hook}, nothing changed"]
        else:
            lines = [f"{colours('modified', 'yellow', 'bold')} by {plugin} at {hook}"]
            lines += [f"  {line}" for line in diff(before, after, colours)]
    for name in result.keys() - {"continue_processing", "modified_payload", "violation"}:
        if result[name]:
            lines.append(f"  {name}: {_text(result[name])}")
    return lines + _context_lines(context, reply.get("context") or {}, colours)


def replaced_part(hook: str, payload: Any) -> Any:
    """The part of a payload that the hook's result replaces: all of it for most; None when the result is of its own."""
    if hook in _HEADERS:
        return payload.get(_HEADERS[hook]) or {} if isinstance(payload, dict) else {}
    spec = HOOKS.get(hook)
    if spec is None:
        return None
    result = spec.result.model_fields["modified_payload"].annotation
    return payload if spec.payload in (result, *getattr(result, "__args__", ())) else None


def without_additions(value: Any, like: Any) -> Any:
    """A value less the empty parts that a model adds to a map which came without them."""
    if isinstance(value, dict) and isinstance(like, dict):
        kept = [name for name in like if name in value]  # in the caller's order, which makes the better diff
        kept += [name for name in value if name not in like and value[name] not in (None, {}, [])]
        return {name: without_additions(value[name], like.get(name)) for name in kept}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [without_additions(*pair) for pair in zip(value, like, strict=True)]
    return value


def diff(before: Any, after: Any, colours: Colours) -> Iterator[str]:
    """Compare two values line by line, as indented JSON; of what stays, the lines around a change are shown.

    Args:
        before: the value as it was; None for no value.
        after: the value as it is.
        colours: for the terminal.
    """
    old, new = ([] if value is None else _lines(value) for value in (before, after))
    for line in list(difflib.unified_diff(old, new, n=_CONTEXT_LINES, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield colours(line, *([_SIGNS[line[0]]] if line[0] in _SIGNS else []))
        elif not line.startswith(("@@ -1,", "@@ -0,")):
            yield colours("...", "dim")


def _context_lines(before: dict[str, Any], after: dict[str, Any], colours: Colours) -> list[str]:
    lines = []
    for path in (("state",), ("metadata",), ("global_context", "state")):
        old, new = before, after
        for name in path:
            old, new = old.get(name) or {}, new.get(name) or {}
        if new != old and after:
            lines += [f"  context.{'.'.join(path)}:", *(f"    {line}" for line in diff(old, new, colours))]
    return lines


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False).splitlines()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
