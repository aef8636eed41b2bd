"""Calls one server with the connector and with cpex's own client, in turns; runs in an environment that has cpex.

Takes a JSON object: the client's block of the plugins file for cpex's client, the endpoint and the package of the
connector, the plugin's name, the query, counts of calls in flight, the rounds, and the seconds for each run. Prints for
each round the calls per second, and this process's CPU microseconds for a call, by client and count.
"""

import asyncio
import importlib
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.gateway.driver import Framework

CONNECTOR, PEER = "connector", "peer"
WARM_UP = 0.3
HOOK = "tool_pre_invoke"


async def measure(
    call: Callable[[Any, Any], Awaitable[Any]], framework: Framework, query: str, count: int, seconds: float
) -> dict[str, float]:
    """Calls per second of some callers at once, and the CPU time of a call in microseconds."""
    payload = framework.registry.json_to_payload(HOOK, {"name": "search", "args": {"query": query}})
    calls, cpu, start = 0, time.process_time(), time.perf_counter()

    async def caller() -> None:
        nonlocal calls
        while time.perf_counter() < start + seconds:
            result = await call(payload, framework.context())
            assert result.modified_payload.args["query"] != query
            calls += 1

    await asyncio.gather(*(caller() for _ in range(count)))
    return {"rate": calls / (time.perf_counter() - start), "cpu": (time.process_time() - cpu) / calls * 1e6}


async def main(
    block: dict[str, Any],
    endpoint: str,
    package: str,
    name: str,
    query: str,
    counts: list[int],
    rounds: int,
    seconds: float,
) -> None:
    framework = Framework("cpex.framework")
    kind = f"{package}.runtime.connector.RemotePlugin"
    config = framework.root.PluginConfig(name=name, kind=kind, hooks=[HOOK], config={"endpoint": endpoint})
    remote = importlib.import_module(f"{package}.runtime.connector").RemotePlugin(config)
    external = framework.client(name, block)

    async def call_external(payload: Any, context: Any) -> Any:
        return await external.invoke_hook(HOOK, payload, context)

    runs: list[dict[str, dict[int, dict[str, float]]]] = []
    clients = {CONNECTOR: remote.tool_pre_invoke, PEER: call_external}
    await external.initialize()
    await remote.initialize()
    try:
        for call in clients.values():
            await measure(call, framework, query, 1, WARM_UP)
        for _ in range(rounds):
            run: dict[str, dict[int, dict[str, float]]] = {client: {} for client in clients}
            for count in counts:
                for client, call in clients.items():
                    run[client][count] = await measure(call, framework, query, count, seconds)
            runs.append(run)
    finally:
        await remote.shutdown()
        await external.shutdown()
    print(json.dumps(runs))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    # What gateways run on: their uvicorn comes with it.
    importlib.import_module("uvloop").install()
    asyncio.run(main(**json.loads(sys.argv[1])))
