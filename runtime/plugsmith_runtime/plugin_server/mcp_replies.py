"""The bytes of results: what never changes is written once, what a hook answers is put between ready-made pieces."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ..exact_json import dumps
from ..host.messages import HookReply
from ..mcp.versions import SERVER_INFO_KEY, SUPPORTED_VERSIONS

_INSTRUCTIONS = "Plugins of a ContextForge gateway. Call invoke_hook to run a hook of a plugin."
_CAPABILITIES = {"tools": {"listChanged": False}}


class Tails(NamedTuple):
    """What follows the text of a tool's answer: for a success and for an error."""

    done: bytes
    failed: bytes


class FixedReplies:
    """The results that are the same for every request.

    Args:
        server_info: name and version of the server.
        tools: the tools' descriptions.
    """

    def __init__(self, server_info: dict[str, str], tools: list[dict[str, Any]]) -> None:
        self._server_info = server_info
        # 2026-07-28 wants each result to say that it is complete, for how many milliseconds and by whom it may be kept.
        stamp = {"resultType": "complete", "_meta": {SERVER_INFO_KEY: server_info}}
        cached = {"ttlMs": 0, "cacheScope": "private", **stamp}
        self._tools = orjson.dumps({"tools": tools}) + b"}"
        self._tools_stateless = orjson.dumps({"tools": tools, **cached}) + b"}"
        self._tails = _tails({})
        self._tails_stateless = _tails(stamp)
        self.discovery = (
            orjson.dumps(
                {
                    "supportedVersions": SUPPORTED_VERSIONS,
                    "capabilities": _CAPABILITIES,
                    "instructions": _INSTRUCTIONS,
                    **cached,
                }
            )
            + b"}"
        )

    def tools(self, stateless: bool) -> bytes:
        """The result of tools/list."""
        return self._tools_stateless if stateless else self._tools

    def tails(self, stateless: bool) -> Tails:
        """The ends of the results of tools/call."""
        return self._tails_stateless if stateless else self._tails

    def initialized(self, version: str) -> bytes:
        """The result of initialize.

        Args:
            version: the version that the session will speak.
        """
        result = {
            "protocolVersion": version,
            "capabilities": _CAPABILITIES,
            "serverInfo": self._server_info,
            "instructions": _INSTRUCTIONS,
        }
        return orjson.dumps(result) + b"}"


def _tails(extra: dict[str, Any]) -> Tails:
    done, failed = (orjson.dumps({"isError": is_error, **extra})[1:] for is_error in (False, True))
    return Tails(b"}]," + done + b"}", b"}]," + failed + b"}")


def text_reply(head: bytes, tail: bytes, data: Any, dates: bool = False) -> bytes:
    """Write the answer of a tool whose text content is JSON.

    Args:
        head: the envelope up to the result.
        tail: what follows the text.
        data: what the text says.
        dates: write dates, which YAML knows, as strings.

    Raises:
        EncodeError: the data has no JSON form.
    """
    text = orjson.dumps(dumps(data, dates).decode())
    return b"".join((head, b'{"content":[{"type":"text","text":', text, tail))


def hook_reply(head: bytes, tails: Tails, reply: HookReply) -> bytes:
    """Write the answer of invoke_hook.

    Raises:
        EncodeError: a value of the result or the context has no JSON form.
    """
    data: dict[str, Any] = {"plugin_name": reply.plugin}
    if reply.error is not None:
        data["error"] = reply.error
        tail = tails.failed
    else:
        data["result"] = reply.result
        tail = tails.done
    if reply.context is not None:
        data["context"] = reply.context
    return text_reply(head, tail, data)
