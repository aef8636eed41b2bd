"""Results of MCP requests as bytes: what is the same for many requests is written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ..errors import EncodeError
from ..exact_json import dumps
from .jsonrpc import INVALID_PARAMS, JsonRpcError
from .protocol import (
    AUDIO_VERSION,
    SERVER_INFO_KEY,
    STATELESS_VERSION,
    STRUCTURED_VERSION,
    SUPPORTED_VERSIONS,
)
from .tools import TextResultTails, Tool, ToolResult, json_text, text_content


class ResultEncoder:
    """Writes results, each with the closing brace of its envelope.

    Args:
        server_info: name and version of the server, and what else `Implementation` may hold.
        capabilities: the server's capabilities.
        instructions: what a client may tell its model about the server.

    Attributes:
        tails: the ends of results with one text block: with a handshake, and without sessions.
        discovery: the result of server/discover.
    """

    def __init__(self, server_info: dict[str, Any], capabilities: dict[str, Any], instructions: str | None) -> None:
        self._server_info = server_info
        self._capabilities = capabilities
        self._instructions = {} if instructions is None else {"instructions": instructions}
        # 2026-07-28 wants each result to say that it is complete, for how many milliseconds and by whom it may be kept.
        self._stamp = {"resultType": "complete", "_meta": {SERVER_INFO_KEY: server_info}}
        self._cached = {"ttlMs": 0, "cacheScope": "private", **self._stamp}
        self.tails = (_tails({}), _tails(self._stamp))
        discovery = {"supportedVersions": SUPPORTED_VERSIONS, "capabilities": capabilities}
        self.discovery = orjson.dumps({**discovery, **self._instructions, **self._cached}) + b"}"

    def initialized(self, version: str) -> bytes:
        """The result of initialize.

        Args:
            version: the revision that the session will speak.
        """
        result = {"protocolVersion": version, "capabilities": self._capabilities, "serverInfo": self._server_info}
        return orjson.dumps({**result, **self._instructions}) + b"}"

    def tool_list(self, tools: Sequence[Tool], version: str, next_cursor: str | None) -> bytes:
        """The result of tools/list for one page."""
        result: dict[str, Any] = {"tools": [tool.to_json(version) for tool in tools]}
        if next_cursor is not None:
            result["nextCursor"] = next_cursor
        if version == STATELESS_VERSION:
            result |= self._cached
        return dumps(result) + b"}"

    def subscription_end(self, meta: dict[str, Any]) -> bytes:
        """The result of subscriptions/listen, when the server ends it."""
        return dumps({**self._stamp, "_meta": {SERVER_INFO_KEY: self._server_info, **meta}}) + b"}"

    def tool_result(self, result: ToolResult, version: str) -> bytes:
        """The result of tools/call; one that has no JSON form becomes an error that says where."""
        try:
            return self._tool_result(result, version)
        except EncodeError as error:
            text = f"the tool's result cannot be sent: {error}"
            return self._tool_result(ToolResult([text_content(text)], is_error=True), version)

    def _tool_result(self, result: ToolResult, version: str) -> bytes:
        content = result.content
        if not content and result.structured is not None:
            content = [text_content(json_text(result.structured))]
        if version < STRUCTURED_VERSION:
            content = [_older_block(block, version) for block in content]
        body: dict[str, Any] = {"content": list(content)}
        if result.structured is not None and _has_structured(result.structured, version):
            body["structuredContent"] = result.structured
        body["isError"] = result.is_error
        if version == STATELESS_VERSION:
            body |= self._stamp
        if result.meta:
            body["_meta"] = {**body.get("_meta", {}), **result.meta}
        return dumps(body) + b"}"


class ToolListPages:
    """The pages of tools/list, each written once for as long as the list does not change.

    Args:
        results: writes the pages.
        page_size: tools on a page.
    """

    def __init__(self, results: ResultEncoder, page_size: int) -> None:
        self._results = results
        self._page_size = page_size
        self._tools: Sequence[Tool] | None = None
        self._written: dict[tuple[int, str], bytes] = {}
        self._positions: dict[str, int] = {}

    def page(self, tools: Sequence[Tool], cursor: Any, version: str) -> bytes:
        """One page.

        Args:
            tools: the list; another object than last time when it has changed.
            cursor: where the page begins: the name of the tool before it; None for the first page.
            version: the client's protocol revision.

        Raises:
            JsonRpcError: no page begins there, or no longer.
        """
        if tools is not self._tools:
            self._tools = tools
            self._written.clear()
            ends = range(self._page_size, len(tools), self._page_size)
            self._positions = {tools[end - 1].name: end for end in ends}
        start = 0 if cursor is None else self._start(cursor)
        written = self._written.get((start, version))
        if written is None:
            end = start + self._page_size
            next_cursor = tools[end - 1].name if end < len(tools) else None
            written = self._results.tool_list(tools[start:end], version, next_cursor)
            self._written[start, version] = written
        return written

    def _start(self, cursor: Any) -> int:
        if not self._positions:
            raise JsonRpcError(INVALID_PARAMS, "params.cursor: there is only one page")
        start = self._positions.get(cursor) if type(cursor) is str else None
        if start is None:
            raise JsonRpcError(INVALID_PARAMS, "params.cursor: no page of the list begins there; start again without")
        return start


def _tails(extra: dict[str, Any]) -> TextResultTails:
    done, failed = (orjson.dumps({"isError": is_error, **extra})[1:] for is_error in (False, True))
    return TextResultTails(b"}]," + done + b"}", b"}]," + failed + b"}")


def _has_structured(value: Any, version: str) -> bool:
    return version == STATELESS_VERSION or (version >= STRUCTURED_VERSION and isinstance(value, dict))


def _older_block(block: dict[str, Any], version: str) -> dict[str, Any]:
    """A content block for clients of a revision that may not know its type, and would refuse the whole result."""
    if block.get("type") == "resource_link":
        return text_content(f"{block.get('name', 'resource')}: {block.get('uri')}")
    if block.get("type") == "audio" and version < AUDIO_VERSION:
        return text_content(f"audio, {block.get('mimeType')}: MCP {version} has no audio content")
    return block
