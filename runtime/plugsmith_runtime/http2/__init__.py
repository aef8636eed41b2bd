"""The server's side of HTTP/2 (RFC 9113), as much of it as gRPC uses."""

from __future__ import annotations

from .frames import Flag, FrameType, head
from .handler import Limits
from .hpack import Fields, encode
from .server import Connection
from .stream import Stream, StreamHandler

__all__ = ["Connection", "Fields", "Flag", "FrameType", "Limits", "Stream", "StreamHandler", "encode", "head"]
