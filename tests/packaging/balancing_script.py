"""Runs where cpex is installed: counts which of several servers answer, called as cpex calls and with round_robin.

Arguments: a gRPC target with several addresses, and how many of them answer. Prints
{"cpex": {version: calls}, "round_robin": {version: calls}}; the second counts once all connections stand.
"""

# mypy: ignore-errors
# It imports what only that interpreter has.

import asyncio
import json
import sys
from collections import Counter

import grpc.aio
from cpex.framework.external.grpc.proto import plugin_service_pb2, plugin_service_pb2_grpc
from cpex.framework.external.grpc.tls_utils import create_insecure_channel

CALLS = 40
LIMIT = 20.0
ROUND_ROBIN = '{"loadBalancingConfig": [{"round_robin": {}}]}'


async def count(channel: grpc.aio.Channel, connections: int) -> dict[str, int]:
    """Ask for the plugins until that many servers have answered, and then count the versions that come back."""
    async with channel:
        stub = plugin_service_pb2_grpc.PluginServiceStub(channel)

        async def version() -> str:
            reply = await stub.GetPluginConfigs(plugin_service_pb2.GetPluginConfigsRequest(), wait_for_ready=True)
            return str(reply.configs[0]["version"])

        seen: set[str] = set()
        async with asyncio.timeout(LIMIT):
            while len(seen) < connections:
                seen.add(await version())
        return dict(Counter([await version() for _ in range(CALLS)]))


async def main(target: str, alive: int) -> None:
    found = {
        "cpex": await count(create_insecure_channel(target), 1),
        "round_robin": await count(grpc.aio.insecure_channel(target, [("grpc.service_config", ROUND_ROBIN)]), alive),
    }
    print(json.dumps(found))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
