"""The engine's server by its messages, without a transport: what differs between the revisions, pages, errors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from plugsmith_runtime.mcp.protocol import HANDSHAKE_VERSIONS, STATELESS_VERSION, SUPPORTED_VERSIONS
from plugsmith_runtime.mcp.server import Server
from plugsmith_runtime.mcp.session import Session, SessionStore
from plugsmith_runtime.mcp.tools import RequestContext, Tool, ToolCall, ToolResult

from .everything import FIRST_TOOLS, PAGE_SIZE_TOOLS, Everything

META = {
    "io.modelcontextprotocol/protocolVersion": STATELESS_VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Conversation:
    """Messages to a server, one after the other, in one revision."""

    def __init__(self, version: str, session: Session | None = None, server: Server | None = None) -> None:
        self.server = server or Everything().server
        self.version = version
        self.notified: list[Any] = []
        self.context = RequestContext(version, session=session, notify=self._notify)

    async def _notify(self, message: bytes) -> None:
        self.notified.append(json.loads(message))

    async def send(self, message: Any) -> Any:
        _, answer = await self.server.answer(message, self.context)
        return None if answer is None else json.loads(answer)

    async def ask(self, method: str, request_id: Any = 1, **params: Any) -> Any:
        if self.version == STATELESS_VERSION:
            params["_meta"] = {**META, **params.get("_meta", {})}
        return await self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def ask(version: str, method: str, **params: Any) -> Any:
    """One request to a server of its own: its result, or code and message of its error."""
    answer = asyncio.run(Conversation(version).ask(method, **params))
    assert answer["id"] == 1
    return (answer["error"]["code"], answer["error"]["message"]) if "error" in answer else answer["result"]


@pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
def test_initialize(version: str) -> None:
    assert ask(version, "initialize", protocolVersion=version) == {
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": True}, "logging": {}},
        "serverInfo": {"name": "everything", "title": "Every kind of tool", "version": "1.0"},
        "instructions": "For tests.",
    }
    assert ask(version, "initialize", protocolVersion="1999-01-01")["protocolVersion"] == HANDSHAKE_VERSIONS[-1]
    assert ask(version, "server/discover") == (-32601, "unknown method 'server/discover'")


def test_discover() -> None:
    result = ask(STATELESS_VERSION, "server/discover")
    assert result["supportedVersions"] == list(SUPPORTED_VERSIONS)
    assert result["capabilities"] == {"tools": {"listChanged": True}, "logging": {}}
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")
    for method in ("initialize", "ping", "logging/setLevel"):
        assert ask(STATELESS_VERSION, method)[0] == -32601


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_structured_content(version: str) -> None:
    tools = {tool["name"]: tool for tool in ask(version, "tools/list")["tools"]}
    # An object where the revision knows structured content, anything in the newest.
    knows = version >= "2025-06-18"
    assert ("outputSchema" in tools["add"]) == knows
    assert ("outputSchema" in tools["list"]) == (version == STATELESS_VERSION)
    added = ask(version, "tools/call", name="add", arguments={"numbers": [1, 2]})
    assert added.get("structuredContent") == ({"sum": 3} if knows else None)
    listed = ask(version, "tools/call", name="list")
    assert ("structuredContent" in listed) == (version == STATELESS_VERSION)
    for result, text in ((added, '{"sum":3}'), (listed, "[1,2,18446744073709551617]")):
        assert result["content"] == [{"type": "text", "text": text}]
        assert result["isError"] is False
        assert ("resultType" in result) == (version == STATELESS_VERSION)
    assert added["_meta"]["example.com/cost"] == 1


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_clients_get_no_content_that_their_revision_does_not_know(version: str) -> None:
    types = [block["type"] for block in ask(version, "tools/call", name="blocks")["content"]]
    audio = "audio" if version >= "2025-03-26" else "text"
    link = "resource_link" if version >= "2025-06-18" else "text"
    assert types == ["text", "image", audio, "resource", link]


def test_pages() -> None:
    names = []
    cursors = [None]
    while cursors[-1] is not None or len(cursors) == 1:
        page = ask("2025-11-25", "tools/list", **({"cursor": cursors[-1]} if cursors[-1] else {}))
        names.append([tool["name"] for tool in page["tools"]])
        cursors.append(page.get("nextCursor"))
    assert [name for page in names for name in page] == [tool.name for tool in FIRST_TOOLS]
    assert [len(page) for page in names[:-1]] == [PAGE_SIZE_TOOLS] * (len(names) - 1)
    for cursor in ("no such", "add", 5):
        assert ask("2025-11-25", "tools/list", cursor=cursor)[0] == -32602


def test_a_changed_list_has_new_pages() -> None:
    async def main() -> None:
        talk = Conversation("2025-11-25")
        first = await talk.ask("tools/list")
        assert await talk.ask("tools/list") == first
        await talk.ask("tools/call", name="grow", arguments={"name": "new"})
        cursor, names = None, []
        for _ in range(10):
            page = (await talk.ask("tools/list", **({"cursor": cursor} if cursor else {})))["result"]
            names += [tool["name"] for tool in page["tools"]]
            cursor = page.get("nextCursor")
            if cursor is None:
                break
        assert names == [*(tool.name for tool in FIRST_TOOLS), "new"]

    asyncio.run(main())


def test_thousands_of_tools() -> None:
    class Many:
        tools = tuple(Tool(f"tool-{number}", {"type": "object"}) for number in range(5000))
        long_running = False

        async def call_tool(self, call: ToolCall) -> ToolResult:
            return ToolResult()

    async def main() -> None:
        talk = Conversation("2025-11-25", server=Server(Many(), {"name": "many", "version": "1"}))
        params: dict[str, Any] = {}
        seen = 0
        while True:
            page = (await talk.ask("tools/list", **params))["result"]
            seen += len(page["tools"])
            if "nextCursor" not in page:
                break
            params = {"cursor": page["nextCursor"]}
        assert seen == 5000

    asyncio.run(main())


def test_progress_and_log_messages_only_for_those_who_want_them() -> None:
    async def methods(talk: Conversation, **meta: Any) -> list[str]:
        talk.notified.clear()
        await talk.ask("tools/call", name="count", arguments={"to": 1}, **({"_meta": meta} if meta else {}))
        return [message["method"].removeprefix("notifications/") for message in talk.notified]

    async def main() -> None:
        session = Session()
        talk = Conversation("2025-11-25", session)
        assert await methods(talk) == ["message", "message"]
        assert await methods(talk, progressToken="p") == ["progress", "message", "message"]
        assert talk.notified[0]["params"] == {"progressToken": "p", "progress": 1, "total": 1, "message": "step 1"}
        assert (await talk.ask("logging/setLevel", level="info"))["result"] == {}
        assert await methods(talk) == ["message"]
        assert (await talk.ask("logging/setLevel", level="loud"))["error"]["code"] == -32602
        without = Conversation(STATELESS_VERSION)
        assert await methods(without) == []
        assert await methods(without, **{"io.modelcontextprotocol/logLevel": "debug"}) == ["message", "message"]

    asyncio.run(main())


def test_cancelled_requests_are_not_answered() -> None:
    async def main() -> None:
        talk = Conversation("2025-11-25", Session())
        stranger = Conversation("2025-11-25", Session(), talk.server)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        waiting = asyncio.create_task(talk.ask("tools/call", 7, name="wait", _meta={"progressToken": 1}))
        while not talk.notified:
            await asyncio.sleep(0)
        await stranger.send(cancel)
        await talk.send({**cancel, "params": {"requestId": "7"}})
        await talk.send({**cancel, "params": {"requestId": [7]}})
        assert not waiting.done()
        await talk.send(cancel)
        await talk.send(cancel)
        assert await waiting is None
        assert (await talk.ask("tools/call", name="cancelled", arguments={"calls": 1}))["result"]["isError"] is False

    asyncio.run(main())


def test_the_end_of_the_server_cancels_no_session_but_its_streams() -> None:
    async def main() -> None:
        talk = Conversation(STATELESS_VERSION)
        listening = asyncio.create_task(
            talk.ask(
                "subscriptions/listen", "sub", notifications={"toolsListChanged": True, "promptsListChanged": True}
            )
        )
        while not talk.notified:
            await asyncio.sleep(0)
        meta = {"io.modelcontextprotocol/subscriptionId": "sub"}
        assert talk.notified[0]["params"] == {"notifications": {"toolsListChanged": True}, "_meta": meta}
        await talk.ask("tools/call", name="grow", arguments={"name": "a"})
        await talk.ask("tools/call", name="grow", arguments={"name": "b"})
        while len(talk.notified) < 2:
            await asyncio.sleep(0)
        talk.server.close()
        result = (await listening)["result"]
        assert (result["resultType"], result["_meta"]["io.modelcontextprotocol/subscriptionId"]) == ("complete", "sub")
        # Two changes before anybody looked are one.
        assert [message["params"]["_meta"] for message in talk.notified[1:]] == [meta]

    asyncio.run(main())


def test_a_crash_says_nothing_about_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    for version in SUPPORTED_VERSIONS:
        assert ask(version, "tools/call", name="crash") == (-32603, "internal error; the server's log has the reason")
    assert "tool 'crash': the call failed" in caplog.text and "secret" in caplog.text


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"name": "no"}, "unknown tool 'no'"),
        ({"name": 5}, "params.name must be a string"),
        ({"name": "add", "arguments": []}, "params.arguments must be an object"),
    ],
)
def test_bad_calls(params: dict[str, Any], message: str) -> None:
    for version in SUPPORTED_VERSIONS:
        assert ask(version, "tools/call", **params) == (-32602, message)


def test_sessions_are_forgotten_but_never_refused() -> None:
    store = SessionStore()
    first = store.create()
    first.log_level = 3
    assert store.get(first.id) is first
    for number in range(10_001):
        store.get(f"other-{number}")
    assert store.get(first.id).log_level == 0
