"""The server's side of HTTP/2 (RFC 9113), as much of it as gRPC uses."""

from __future__ import annotations

from .frames import Flag, Kind, head
from .handler import Limits
from .hpack import Fields, encode
from .server import Connection
from .stream import Exchange, Stream

__all__ = ["Connection", "Exchange", "Fields", "Flag", "Kind", "Limits", "Stream", "encode", "head"]
