"""A client of version 2 of the Unix protocol that can do everything wrong."""

from __future__ import annotations

import json
from typing import Any

from .unix_v1 import UnixV1Client

PREFACE = b"PSU2"


class UnixV2Client(UnixV1Client):
    """A connection of version 2.

    Args:
        path: the socket.
        pb: the messages of version 2.
        preface: what to send first; when it is not PREFACE, nothing is read yet.
    """

    def __init__(self, path: str, pb: Any, preface: bytes = PREFACE) -> None:
        super().__init__(path, pb)
        self.socket.sendall(preface)
        if preface == PREFACE:
            self.welcome = self.answer().welcome

    def answer(self) -> Any:
        """The next frame."""
        return self.pb.ServerFrame.FromString(self.receive())

    def invoke(self, number: int, behaviour: str, args: dict[str, Any], context: bytes = b"", **fields: Any) -> bytes:
        """A hook call as bytes."""
        payload = json.dumps({"name": behaviour, "args": args}).encode()
        values = {"hook_type": "tool_pre_invoke", "plugin_name": "Probe", "payload": payload, "context": context}
        frame = self.pb.ClientFrame(id=number, invoke=self.pb.InvokeHook(**(values | fields)))
        written: bytes = frame.SerializeToString()
        return written

    def cancel(self, number: int) -> None:
        """Stop a call."""
        self.send(self.pb.ClientFrame(id=number, cancel=self.pb.Cancel()).SerializeToString())

    def ask(self, number: int, behaviour: str, args: dict[str, Any], **fields: Any) -> Any:
        """Make a hook call and return the next frame."""
        self.send(self.invoke(number, behaviour, args, **fields))
        return self.answer()


def args_of(answer: Any) -> Any:
    """The arguments in the payload of a result."""
    return json.loads(answer.result.result)["modified_payload"]["args"]
