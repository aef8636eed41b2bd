"""Listening sockets, and the provider that a server gets its own from.

No other server shares or loses its socket, and a Unix socket is private from its first moment.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..errors import StartError

# sun_path of sockaddr_un, less the closing zero: 107 bytes on Linux, 103 on macOS. Keep to what works on this system.
_MAX_PATH_BYTES = 107 if os.uname().sysname == "Linux" else 103
LISTEN_BACKLOG = 2048
"""Connections that may wait to be accepted."""


def bind_tcp(host: str, port: int, setting: str) -> socket.socket:
    """Open a listening TCP socket that no other server shares.

    Args:
        host: address or name; the first address of a name is taken.
        port: port, 0 for any free one.
        setting: how a person chooses another port, for the error's text.

    Raises:
        StartError: the address is unknown, in use, or not ours to bind.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise StartError(f"{host}: cannot resolve the address to listen on ({error.strerror})") from error
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Lets a restarted server take its port while old connections linger; never lets two servers listen.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(LISTEN_BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"{host}:{port}: the port is in use; stop the other server or {setting}") from error
        raise StartError(f"{host}:{port}: cannot listen ({error.strerror}); {setting}") from error
    sock.setblocking(False)
    return sock


def format_address(host: str, port: int) -> str:
    """A host and a port as they stand in a URL: IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_socket_path(path: str, setting: str) -> bool:
    """Check that a Unix socket may be made at a path.

    Args:
        path: where the socket will be.
        setting: how a person chooses another path, for the error's text.

    Returns:
        Whether a dead server left its socket there, which must be removed first.

    Raises:
        StartError: the path is too long, its folder is missing or open to all, or something alive is there.
    """
    size = len(os.fsencode(path))
    if size > _MAX_PATH_BYTES:
        raise StartError(f"{path}: {size} bytes are too long for a Unix socket (at most {_MAX_PATH_BYTES}); {setting}")
    folder = Path(path).absolute().parent
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise StartError(f"{folder}: no such folder for the Unix socket; make it or {setting}") from error
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise StartError(f"{folder}: anybody may replace files in this folder; chmod o-w it or {setting}")
    try:
        found = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(found):
        raise StartError(f"{path}: a file that is no socket is in the way; move it or {setting}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StartError(f"{path}: cannot tell whether a server lives there ({error}); {setting}") from error
    raise StartError(f"{path}: another server is listening there; stop it or {setting}")


def unlink_stale_socket(path: str, setting: str) -> None:
    """Make way for a Unix socket: remove what a dead server left there; errors as in `check_socket_path`."""
    if check_socket_path(path, setting):
        os.unlink(path)


def bind_unix(path: str, setting: str) -> socket.socket:
    """Open a listening Unix socket with mode 0600 from its first moment.

    Args:
        path: where the socket will be.
        setting: how a person chooses another path, for the error's text.

    Raises:
        StartError: as `unlink_stale_socket`, or the path cannot be bound.
    """
    unlink_stale_socket(path, setting)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode comes from the umask at bind: a later chmod would leave a moment in which others may connect.
    previous = os.umask(0o177)
    try:
        sock.bind(path)
        sock.listen(LISTEN_BACKLOG)
    except OSError as error:
        sock.close()
        raise StartError(f"{path}: cannot make the Unix socket ({error.strerror}); {setting}") from error
    finally:
        os.umask(previous)
    sock.setblocking(False)
    return sock


def remove_unix_path(path: str) -> None:
    """Remove a socket file of ours; one that is gone already is fine."""
    Path(path).unlink(missing_ok=True)


def raise_file_limit() -> None:
    """Allow this process as many open files, and so connections, as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls its hard limit endless but takes no such number.
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


ProtocolFactory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a new connection."""


class Acceptor(Protocol):
    """Accepts connections until it is closed; a server of asyncio is one."""

    def close(self) -> None:
        """Accept no more, and close the listening socket."""

    async def wait_closed(self) -> None:
        """Wait until it is closed."""


class SocketProvider:
    """Opens listening sockets and accepts connections on them."""

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """Open a TCP socket.

        Args:
            name: who asks: "http", "grpc" or "admin".
            host: address or name.
            port: port, 0 for any free one.
            setting: how a person chooses another port, for the error's text.

        Raises:
            StartError: the address cannot be listened on.
        """
        return bind_tcp(host, port, setting)

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """Open a Unix socket.

        Args:
            name: who asks: "http", "grpc" or "unix".
            path: where the socket will be.
            setting: how a person chooses another path, for the error's text.

        Raises:
            StartError: the path cannot be used.
        """
        return bind_unix(path, setting)

    async def serve(
        self,
        factory: ProtocolFactory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> Acceptor:
        """Accept connections.

        Args:
            factory: makes the protocol of a connection.
            sock: the listening socket; closing the server closes it.
            tls: the context, None for plain text.
            handshake: seconds that the handshake of TLS may take.
        """
        loop = asyncio.get_running_loop()
        # The event loop's own number of connections that may wait is smaller, and a Unix socket refuses the others.
        if sock.family == socket.AF_UNIX:
            return await loop.create_unix_server(factory, sock=sock, backlog=LISTEN_BACKLOG)
        limit = handshake if tls else None
        return await loop.create_server(
            factory, sock=sock, ssl=tls, ssl_handshake_timeout=limit, backlog=LISTEN_BACKLOG
        )

    def remove(self, path: str) -> None:
        """Remove a Unix socket's file when its server stops."""
        remove_unix_path(path)
