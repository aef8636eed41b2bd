"""A client of the Unix socket that can do everything wrong."""

from __future__ import annotations

import socket
from typing import Any, Self

LIMIT = 20.0


class UnixV1Client:
    """A connection to a server's Unix socket.

    Args:
        path: the socket.
        pb: the messages of the contract.
    """

    def __init__(self, path: str, pb: Any) -> None:
        self.pb = pb
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.socket.close()

    def send(self, message: bytes) -> None:
        """Send one frame."""
        self.socket.sendall(frame(message))

    def receive(self) -> bytes:
        """Receive one frame; raises EOFError when the server closed the connection."""
        return self._exactly(int.from_bytes(self._exactly(4), "big"))

    def closed(self) -> bool:
        """Whether the server closes the connection without another byte; waits for it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def request(
        self, behaviour: str, args: dict[str, Any], plugin: str = "Probe", hook: str = "tool_pre_invoke"
    ) -> bytes:
        """A hook call as bytes."""
        request = self.pb.InvokeHookRequest(hook_type=hook, plugin_name=plugin)
        request.payload.update({"name": behaviour, "args": args})
        request.context.global_context.request_id = "r"
        written: bytes = request.SerializeToString()
        return written

    def reply(self) -> Any:
        """The next frame as the reply to a hook call."""
        return self.pb.InvokeHookResponse.FromString(self.receive())

    def call(self, behaviour: str, args: dict[str, Any], **options: str) -> Any:
        """Make a hook call and wait for its reply."""
        self.send(self.request(behaviour, args, **options))
        return self.reply()

    def _exactly(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            part = self.socket.recv(min(size - len(received), 1 << 20))
            if not part:
                raise EOFError("the server closed the connection")
            received += part
        return received


def frame(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(4, "big") + message
