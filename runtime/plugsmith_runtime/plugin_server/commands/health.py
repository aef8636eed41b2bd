"""`health`: ask the running server whether it is ready; for health checks of containers and for scripts."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import ssl
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from ...errors import PlugsmithError, StartError
from .. import options
from ..endpoints import own_endpoint, reachable
from ..settings import ServerSettings

_HANDSHAKE_RECORD = b"\x16"


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("health", help="ask the running server whether it is ready", description=__doc__)
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="the server [default: the admin listener if there is one, else each transport of the configuration]",
    )
    parser.add_argument("--plugin", default="", metavar="NAME", help="ask for one plugin [default: for the server]")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="how long to wait [default: 5]")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask; the exit code is 0 when all is ready, and 1 when something is not, which standard error then names."""
    endpoints = [arguments.endpoint] if arguments.endpoint else _endpoints(options.load(arguments)[2])
    for endpoint in endpoints:
        try:
            check_health(endpoint, arguments.plugin, arguments.timeout)
        except NotReadyError as error:
            print(f"{endpoint}: not ready: {error}", file=sys.stderr)
            return 1
    return 0


def _endpoints(settings: ServerSettings) -> list[str]:
    if settings.admin:
        return [f"http://{reachable(settings.admin.host, settings.admin.port)}"]
    return [own_endpoint(settings, name) for name in settings.transports if name != "stdio"]


class NotReadyError(PlugsmithError):
    """The server does not answer, or says that it is not ready; the text says why."""


def check_health(endpoint: str, plugin: str, timeout_seconds: float) -> None:
    """Check whether a server, or one of its plugins, is ready.

    With TLS only the server's part of the handshake is awaited: a health check has no certificate of a gateway, and a
    whole handshake would be refused, and logged as an attack.

    Args:
        endpoint: what `serve` prints, the URL of the admin listener included.
        plugin: a plugin's name; empty for the server.
        timeout_seconds: seconds that each step may take.

    Raises:
        NotReadyError: it is not.
        StartError: it cannot be asked in this way.
    """
    url = urlsplit(endpoint)
    if url.scheme not in _PROBES:
        raise StartError(
            f"{endpoint}: cannot be asked for health; the endpoint starts with one of {', '.join(_PROBES)}"
        )
    if plugin and url.scheme in ("https", "grpcs"):
        raise StartError(
            f"{endpoint}: a plugin cannot be asked for through TLS; set PLUGINS_ADMIN_PORT and ask the admin listener"
        )
    try:
        _PROBES[url.scheme](url.netloc or url.path, plugin, timeout_seconds)
    except (OSError, HTTPException) as error:
        raise NotReadyError(str(error) or type(error).__name__) from error


def _http(place: str, plugin: str, timeout_seconds: float) -> None:
    _get_ready(HTTPConnection(place, timeout=timeout_seconds), plugin)


def _http_unix(path: str, plugin: str, timeout_seconds: float) -> None:
    connection = HTTPConnection("localhost", timeout=timeout_seconds)
    connection.sock = _connected(path, timeout_seconds)
    _get_ready(connection, plugin)


def _get_ready(connection: HTTPConnection, plugin: str) -> None:
    with contextlib.closing(connection):
        connection.request("GET", "/ready" + (f"?plugin={quote(plugin)}" if plugin else ""))
        response = connection.getresponse()
        if response.status != 200:
            raise NotReadyError(f"/ready answers {response.status}: {response.read(200).decode('utf-8', 'replace')}")


def _tls(place: str, plugin: str, timeout_seconds: float) -> None:
    url = urlsplit(f"//{place}")
    hello = ssl.MemoryBIO()
    begun = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname=url.hostname)
    with contextlib.suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    with socket.create_connection((url.hostname, url.port or 443), timeout_seconds) as connection:
        connection.sendall(hello.read())
        if connection.recv(1) != _HANDSHAKE_RECORD:
            raise NotReadyError("no answer to a TLS handshake")


def _grpc(place: str, plugin: str, timeout_seconds: float) -> None:
    try:
        from ...contract import plugin_service_pb2 as pb
        from ...grpc.channel import Channel
        from ...grpc.health import HEALTH
        from ...grpc.status import StatusError
    except ModuleNotFoundError as error:
        raise StartError(f"gRPC needs the package {error.name}; install the extra 'grpc'") from error
    request, read = pb.HealthCheckRequest(service=plugin).SerializeToString(), pb.HealthCheckResponse.FromString

    async def check() -> pb.HealthCheckResponse:
        async with Channel(f"unix:{place}" if place.startswith("/") else place) as channel:
            return await channel.unary_unary(f"/{HEALTH}/Check", request, bytes, read, timeout=timeout_seconds)

    try:
        reply = asyncio.run(check())
    except StatusError as error:
        raise NotReadyError(f"no answer from the health service ({error.code.name})") from error
    if reply.status != pb.HealthCheckResponse.SERVING:
        raise NotReadyError("the health service says NOT_SERVING")


def _unix(path: str, plugin: str, timeout_seconds: float) -> None:
    try:
        from ...contract.plugin_stream_pb2 import CheckHealth, ClientFrame, ServerFrame
        from ...unix_stream.framing import MAX_FRAME_BYTES, V2_PREFACE, FrameDecoder, encode_frame
    except ModuleNotFoundError as error:
        raise StartError(f"the Unix socket needs the package {error.name}; install the extra 'grpc'") from error
    question = ClientFrame(id=1, check_health=CheckHealth(plugin_name=plugin))
    with contextlib.closing(_connected(path, timeout_seconds)) as connection:
        connection.sendall(V2_PREFACE + encode_frame(question.SerializeToString()))
        decoder = FrameDecoder(MAX_FRAME_BYTES)
        while data := connection.recv(4096):
            for message in decoder.feed(data):
                answer = ServerFrame.FromString(message)
                if answer.id == 1:
                    if not answer.health.serving:
                        raise NotReadyError("not serving" if answer.health.known or not plugin else "unknown plugin")
                    return
    raise NotReadyError("the server closed the connection")


def _connected(path: str, timeout_seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_seconds)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


_PROBES = {
    "http": _http,
    "http+unix": _http_unix,
    "https": _tls,
    "grpc": _grpc,
    "grpc+unix": _grpc,
    "grpcs": _tls,
    "unix": _unix,
}
