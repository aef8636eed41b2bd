"""Calls servers with cpex's external-plugin clients, in turns; runs in an environment that has cpex.

Takes a JSON object: the client's block of the plugins file for each server, the plugin's name, the query, counts of
calls in flight, and the seconds for each run. Prints the calls per second by server and count.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any

from tests.gateway.driver import Framework

WARM_UP = 0.3


async def rate(framework: Framework, plugin: Any, query: str, count: int, seconds: float) -> float:
    """Calls per second of some callers at once."""
    payload = framework.registry.json_to_payload("tool_pre_invoke", {"name": "search", "args": {"query": query}})
    calls, start = 0, time.perf_counter()

    async def caller() -> None:
        nonlocal calls
        while time.perf_counter() < start + seconds:
            result = await plugin.invoke_hook("tool_pre_invoke", payload, framework.context())
            assert result.modified_payload.args["query"] != query
            calls += 1

    await asyncio.gather(*(caller() for _ in range(count)))
    return calls / (time.perf_counter() - start)


async def main(blocks: dict[str, Any], name: str, query: str, counts: list[int], seconds: float) -> None:
    framework = Framework("cpex.framework")
    plugins = {server: framework.client(name, block) for server, block in blocks.items()}
    rates: dict[str, dict[int, float]] = {server: {} for server in plugins}
    try:
        for plugin in plugins.values():
            await plugin.initialize()
            await rate(framework, plugin, query, 1, WARM_UP)
        for count in counts:
            for server, plugin in plugins.items():
                rates[server][count] = await rate(framework, plugin, query, count, seconds)
    finally:
        # The last that was opened first: cpex's MCP client holds a task group, and those nest.
        for plugin in reversed(plugins.values()):
            await plugin.shutdown()
    print(json.dumps(rates))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(**json.loads(sys.argv[1])))
