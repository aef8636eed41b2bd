"""Calls a server with cpex's external-plugin client; runs in an environment that has cpex.

Takes a JSON object: the client's block of the plugins file, the plugin's name, the query, counts of calls in flight,
and the seconds for each. Prints the calls per second by count.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any

from tests.gateway.driver import Framework


async def main(block: dict[str, Any], name: str, query: str, counts: list[int], seconds: float) -> None:
    framework = Framework("cpex.framework")
    plugin = framework.client(name, block)
    await plugin.initialize()
    payload = framework.registry.json_to_payload("tool_pre_invoke", {"name": "search", "args": {"query": query}})
    calls = 0

    async def caller(end: float) -> None:
        nonlocal calls
        while time.perf_counter() < end:
            result = await plugin.invoke_hook("tool_pre_invoke", payload, framework.context())
            assert result.modified_payload.args["query"] != query
            calls += 1

    rates = {}
    try:
        await caller(time.perf_counter() + 0.3)
        for count in counts:
            calls, start = 0, time.perf_counter()
            await asyncio.gather(*(caller(start + seconds) for _ in range(count)))
            rates[count] = calls / (time.perf_counter() - start)
    finally:
        await plugin.shutdown()
    print(json.dumps(rates))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(**json.loads(sys.argv[1])))
