"""Who is at the other end of a Unix socket: the user whose process connected, as the kernel knows it."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Collection

from ..errors import StartError

logger = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


def check_uids(uids: Collection[int]) -> None:
    """Check that callers' users can be told apart on this system.

    Raises:
        StartError: users are named, but the system does not say who connects.
    """
    if uids and not hasattr(socket, "SO_PEERCRED"):
        raise StartError("PLUGINS_ALLOWED_UIDS: this system does not tell who connects (SO_PEERCRED); leave it out")


def is_allowed(transport: asyncio.BaseTransport, uids: Collection[int]) -> bool:
    """Whether the user behind a connection may call; one who may not is logged.

    Args:
        transport: the connection, on a Unix socket.
        uids: the users who may call; empty for all whom the file's mode lets in.
    """
    if not uids:
        return True
    uid = peer_uid(transport.get_extra_info("socket"))
    if uid in uids:
        return True
    logger.warning("a connection of user %d is refused: not in PLUGINS_ALLOWED_UIDS", uid)
    return False


def peer_uid(sock: socket.socket) -> int:
    """The id of the user whose process connected a Unix socket."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(data)[1]
    return uid
