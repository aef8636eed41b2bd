"""Peer credentials of Unix sockets: the user whose process connected, as the kernel knows it (SO_PEERCRED)."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Collection

from ..errors import StartError

logger = logging.getLogger(__name__)

_UCRED = struct.Struct("3i")  # pid, uid, gid


class AllowedUsers:
    """The users who may connect to a Unix socket.

    Args:
        uids: their ids; empty for all whom the file's mode lets in.
        setting: the setting that names them, for people.

    Raises:
        StartError: users are named, but the system does not say who connects.
    """

    def __init__(self, uids: Collection[int] = (), setting: str = "") -> None:
        if uids and not hasattr(socket, "SO_PEERCRED"):
            raise StartError(f"{setting}: this system does not tell who connects (SO_PEERCRED); leave it out")
        self._uids = uids
        self.setting = setting

    def admits(self, transport: asyncio.BaseTransport) -> bool:
        """Whether the user behind a connection may call; one who may not is logged.

        Args:
            transport: the connection, on a Unix socket.
        """
        if not self._uids:
            return True
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid in self._uids:
            return True
        logger.warning("a connection of user %d is refused: not in %s", uid, self.setting)
        return False


def peer_uid(sock: socket.socket) -> int:
    """The id of the user whose process connected a Unix socket."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    uid: int = _UCRED.unpack(data)[1]
    return uid
