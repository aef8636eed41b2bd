"""The server's side of HTTP/2 (RFC 9113), as much of it as gRPC uses."""

from __future__ import annotations

from .connection import Connection
from .frames import Flag, Kind, head
from .hpack import Fields, encode
from .site import Limits
from .stream import Exchange, Stream

__all__ = ["Connection", "Exchange", "Fields", "Flag", "Kind", "Limits", "Stream", "encode", "head"]
