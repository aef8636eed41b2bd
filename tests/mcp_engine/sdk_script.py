# mypy: ignore-errors
# It must run with both generations of the SDK, which the checker cannot have at once.
"""Drives everything.py with the official SDK; runs in an environment of its own and prints what it saw as JSON.

Arguments: the way ("http" or "stdio"), the mode ("session" or "discover"), and the endpoint or the command.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


@asynccontextmanager
async def streams(way, target):
    if way == "stdio":
        command, *args = target
        async with stdio_client(StdioServerParameters(command=command, args=args)) as pair:
            yield pair
        return
    try:
        from mcp.client.streamable_http import streamable_http_client as client
    except ImportError:
        from mcp.client.streamable_http import streamablehttp_client as client
    async with client(target[0]) as found:
        yield found[:2]


class Observer:
    def __init__(self):
        self.logs = []
        self.changed = asyncio.Event()

    async def log(self, params):
        self.logs.append([params.level, params.data, params.logger])

    async def message(self, message):
        message = getattr(message, "root", message)
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.changed.set()


async def list_names(session):
    names, cursor, pages = [], None, 0
    while True:
        try:
            page = await session.list_tools(cursor=cursor)
        except TypeError:
            from mcp.types import PaginatedRequestParams

            page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        names += [tool.name for tool in page.tools]
        pages += 1
        cursor = getattr(page, "nextCursor", None) or getattr(page, "next_cursor", None)
        if cursor is None:
            return pages, names


def plain(result):
    data = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    data.get("_meta", {}).pop("io.modelcontextprotocol/serverInfo", None)
    return data


async def cancel_a_call(session, mode):
    """Cancel a call that runs, in the way of the generation: 1.x leaves the notification to its user."""
    running = asyncio.Event()

    async def on_progress(*_):
        running.set()

    number = getattr(session, "_request_id", None)
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: session.call_tool("wait", {}, progress_callback=on_progress))
        await running.wait()
        if number is not None:
            from mcp import types

            params = types.CancelledNotificationParams(requestId=number)
            note = types.CancelledNotification(method="notifications/cancelled", params=params)
            await session.send_notification(types.ClientNotification(note))
        else:
            group.cancel_scope.cancel()
        await session.call_tool("cancelled", {"calls": 1})
        group.cancel_scope.cancel()
    await session.call_tool("cancelled", {"calls": 1})


async def watch_the_list(session, mode, observer):
    if mode == "discover":
        from mcp.client.subscriptions import listen

        async with listen(session, tools_list_changed=True) as subscription:
            await session.call_tool("grow", {"name": "new"})
            return type(await anext(subscription)).__name__
    while not observer.changed.is_set():
        # The stream of an HTTP session opens in its own time, and what happens before is not told.
        await session.call_tool("grow", {"name": f"new-{len((await list_names(session))[1])}"})
        await asyncio.wait([asyncio.ensure_future(observer.changed.wait())], timeout=0.1)
    return "ToolsListChanged"


async def main(way, mode, *target):
    seen = {"sdk": version("mcp")}
    observer = Observer()
    async with AsyncExitStack() as stack:
        pair = await stack.enter_async_context(streams(way, target))
        made = ClientSession(*pair, logging_callback=observer.log, message_handler=observer.message)
        session = await stack.enter_async_context(made)
        if mode == "discover":
            from mcp.client._probe import negotiate_auto

            await negotiate_auto(session)
            seen["version"] = session.protocol_version
        else:
            found = await session.initialize()
            seen["version"] = getattr(found, "protocolVersion", None) or found.protocol_version
            await session.set_logging_level("info")
        seen["pages"] = await list_names(session)
        for name in ("list", "fail", "nan", "blocks"):
            seen[name] = plain(await session.call_tool(name, {}))
        seen["add"] = plain(await session.call_tool("add", {"numbers": [1, 2, 3.5]}))
        for name in ("crash", "no_such_tool"):
            try:
                await session.call_tool(name, {})
            except Exception as error:
                seen[name] = str(error)
        steps = []

        async def on_progress(progress, total, message):
            steps.append([progress, total, message])

        meta = {"io.modelcontextprotocol/logLevel": "info"} if mode == "discover" else None
        result = await session.call_tool("count", {"to": 3}, progress_callback=on_progress, meta=meta)
        seen["count"] = [steps, list(observer.logs), result.content[0].text]
        await cancel_a_call(session, mode)
        seen["changed"] = await watch_the_list(session, mode, observer)
        seen["grown"] = any(name.startswith("new") for name in (await list_names(session))[1])
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
