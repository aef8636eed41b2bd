"""Tools of an MCP server: what a provider lists, how it is asked, and what it returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..exact_json import dumps
from .jsonrpc import INVALID_PARAMS, JsonRpcError, notification
from .protocol import LOG_LEVEL_KEY, PROGRESS_TOKEN_KEY, STATELESS_VERSION, STRUCTURED_VERSION

if TYPE_CHECKING:
    from .session import Session

LOG_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""The levels of log messages (RFC 5424), the least severe first."""

_TRACE_KEYS = ("traceparent", "tracestate")

Notify = Callable[[bytes], Awaitable[None]]
"""Sends a notification to the client that waits for an answer; it returns when the client can take more."""


class TextResultTails(NamedTuple):
    """What follows the text of a tool's result: for a success and for an error."""

    done: bytes
    failed: bytes


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's definition.

    Attributes:
        name: what callers name it by.
        input_schema: JSON Schema of the arguments, with the type "object" at its root.
        description: what it does, for models.
        title: its name for people.
        output_schema: JSON Schema of the structured content. Before 2026-07-28 its root must have the type "object";
            older clients are not told another one.
        annotations: hints, for example readOnlyHint.
        icons: icons, as the protocol describes them.
        meta: the definition's `_meta`.
    """

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    title: str | None = None
    output_schema: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None
    icons: list[dict[str, Any]] | None = None
    meta: dict[str, Any] | None = None

    def to_json(self, version: str) -> dict[str, Any]:
        """The definition as a protocol revision has it."""
        output_schema = self.output_schema
        if output_schema is not None and version != STATELESS_VERSION:
            told = version >= STRUCTURED_VERSION and output_schema.get("type") == "object"
            output_schema = output_schema if told else None
        members = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": output_schema,
            "annotations": self.annotations,
            "icons": self.icons,
            "_meta": self.meta,
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tool:
        """Read a definition that a server sent."""
        return cls(
            str(data["name"]),
            data.get("inputSchema") or {"type": "object"},
            data.get("description"),
            data.get("title"),
            data.get("outputSchema"),
            data.get("annotations"),
            data.get("icons"),
            data.get("_meta"),
        )


@dataclass(slots=True)
class ToolResult:
    """The result of a tool call.

    Attributes:
        content: content blocks, as the protocol describes them (`text_content` makes the simplest). Without any, the
            structured content is written as a text block as well, for clients that know no other.
        structured: structured content that fits the tool's output schema; None for none. Before 2026-07-28 only an
            object can be sent, and other values are left out.
        is_error: whether the call failed.
        meta: the result's `_meta`.
    """

    content: Sequence[dict[str, Any]] = ()
    structured: Any = None
    is_error: bool = False
    meta: dict[str, Any] | None = field(default=None)


def text_content(text: str) -> dict[str, Any]:
    """A content block of text."""
    return {"type": "text", "text": text}


class UnknownToolError(JsonRpcError):
    """A call of a tool that the provider does not have.

    Args:
        name: the tool's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(INVALID_PARAMS, f"unknown tool {name!r}")


@dataclass(slots=True)
class RequestContext:
    """What a transport knows about a message.

    Attributes:
        version: the protocol revision that the client speaks.
        identity: the client's name in its verified TLS certificate.
        size: the message's bytes.
        trace: the client's traceparent and tracestate (W3C Trace Context), where the transport carries them.
        headers: the HTTP request's headers, as ASGI has them.
        session: the client's session; None where the transport keeps none.
        notify: sends notifications before the answer; None where the client takes none.
    """

    version: str
    identity: str | None = None
    size: int = 0
    trace: Mapping[str, str] | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    session: Session | None = None
    notify: Notify | None = None


class ToolCall:
    """A tool call, and the way to say how it gets on.

    Attributes:
        name: the tool's name.
        arguments: the arguments, not validated.
        meta: the request's `_meta`.
        context: where the call comes from.
    """

    __slots__ = ("_head", "_tails", "arguments", "context", "meta", "name")

    def __init__(
        self,
        name: str,
        arguments: dict[str, Any],
        meta: Mapping[str, Any],
        context: RequestContext,
        head: bytes,
        tails: TextResultTails,
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.meta = meta
        self.context = context
        self._head = head
        self._tails = tails

    @property
    def trace(self) -> Mapping[str, str] | None:
        """The caller's traceparent and tracestate, from the transport or from `_meta`."""
        meta = self.meta
        if self.context.trace or not meta:
            return self.context.trace
        return {key: meta[key] for key in _TRACE_KEYS if type(meta.get(key)) is str}

    @property
    def wants_progress(self) -> bool:
        """Whether `progress` reaches the client."""
        return PROGRESS_TOKEN_KEY in self.meta and self.context.notify is not None

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Send a progress notification, when the client asked for them.

        Args:
            progress: how far the call is; it must grow from one notification to the next.
            total: what `progress` will be at the end, when that is known.
            message: what is being done, for people.
        """
        if not self.wants_progress:
            return
        params: dict[str, Any] = {"progressToken": self.meta[PROGRESS_TOKEN_KEY], "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self._notify("notifications/progress", params)

    async def log(self, level: str, data: Any, logger: str | None = None) -> None:
        """Send a log message, when the client takes messages of that level.

        Args:
            level: one of LOG_LEVELS.
            data: the message, any JSON value.
            logger: the name of what logs.
        """
        if not self._takes(LOG_LEVELS.index(level)):
            return
        params = {"level": level, "data": data}
        if logger is not None:
            params["logger"] = logger
        await self._notify("notifications/message", params)

    def text_reply(self, text: bytes, is_error: bool = False) -> bytes:
        """The bytes of a whole answer with one text block: what `call_tool` may return in place of a ToolResult.

        It costs a fraction, as only the text is written anew.

        Args:
            text: the block's text as a JSON string, quotes included.
            is_error: whether the call failed.
        """
        tails = self._tails
        tail = tails.failed if is_error else tails.done
        return b"".join((self._head, b'{"content":[{"type":"text","text":', text, tail))

    async def _notify(self, method: str, params: dict[str, Any]) -> None:
        if self.context.notify is not None:
            await self.context.notify(notification(method, params))
            # Sending suspends only when the client is slow: a tool that sends much lets others run here, and is
            # cancelled here.
            await asyncio.sleep(0)

    def _takes(self, level: int) -> bool:
        if self.context.version == STATELESS_VERSION:
            wanted = self.meta.get(LOG_LEVEL_KEY)
            return wanted in LOG_LEVELS and level >= LOG_LEVELS.index(wanted)
        return self.context.session is None or level >= self.context.session.log_level


class ToolProvider(Protocol):
    """The tools behind a server."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools as they are now.

        Every change must give another object, because the server keeps what it has written of this one; then call
        `Server.tools_changed`.
        """

    @property
    def long_running(self) -> bool:
        """Whether calls may send progress and log messages, and are cancelled when their client disconnects.

        False keeps the way of short calls short.
        """

    async def call_tool(self, call: ToolCall) -> ToolResult | bytes:
        """Call a tool.

        A cancelled request cancels the task that runs this.

        Returns:
            The result, or what `ToolCall.text_reply` made.

        Raises:
            UnknownToolError: there is no such tool.
            JsonRpcError: the call is answered by this protocol error.
        """


def json_text(data: Any) -> str:
    """JSON data as the text of a content block.

    Raises:
        EncodeError: a value has no JSON form.
    """
    return dumps(data).decode()
