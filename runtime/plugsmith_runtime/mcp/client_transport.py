"""What an MCP client needs of a transport, and the error that both raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..errors import PlugsmithError

Message = dict[str, Any]
OnMessage = Callable[[Message], None]


class McpError(PlugsmithError, ConnectionError):
    """The server answered with a protocol error, or with something that is no MCP.

    Args:
        text: what the server said.
        error: the protocol error's code and data, when it was one.
    """

    def __init__(self, text: str, error: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.error = error or {}

    @property
    def code(self) -> int | None:
        """The JSON-RPC error code, when it was a protocol error."""
        return self.error.get("code")


class ClientTransport(Protocol):
    """Carries messages between a client and its server.

    Attributes:
        protocol_version: the revision that the client speaks from now on; None before that is agreed on.
    """

    protocol_version: str | None

    @property
    def usable(self) -> bool:
        """Whether a message may be sent, as far as is known without asking the server."""

    async def request(self, message: Message, on_message: OnMessage) -> Any:
        """Send a request.

        Args:
            message: the request.
            on_message: is given the server's other messages that come meanwhile.

        Returns:
            The decoded answer.
        """

    async def send(self, message: Message) -> None:
        """Send a message that has no answer."""

    def cancel(self, message: Message) -> None:
        """Tell the server that nobody waits for a request any more."""

    async def listen(self, on_open: Callable[[], None], on_message: OnMessage) -> None:
        """Receive messages that belong to no request, until the server ends that.

        Args:
            on_open: is called when the server sends them from now on.
            on_message: is given the messages.
        """

    async def close(self) -> None:
        """Close all connections."""
