"""Calls hooks through a framework's own plugin manager, as a gateway does; runs where the framework is installed.

Takes a JSON object as its only argument: the framework's module, a plugins file, and a payload for each hook. Prints,
for each hook, the result and the context's metadata after it.
"""

import asyncio
import importlib
import json
import sys
from datetime import UTC, datetime
from typing import Any

from pydantic import AnyUrl, BaseModel, Field

from .driver import Framework


class Tool(BaseModel):
    """Stands for the objects that a gateway puts into the context."""

    name: str = "search"
    url: AnyUrl = AnyUrl("https://example.com/search")
    created: datetime = datetime(2026, 1, 2, tzinfo=UTC)
    tags: set[str] = {"a"}
    schema_: dict[str, Any] = Field(default={"type": "object"}, alias="inputSchema")


async def main(framework: str, file: str, hooks: dict[str, Any]) -> None:
    peer = Framework(framework)
    manager = importlib.import_module(f"{framework}.manager").PluginManager(file)
    await manager.initialize()
    seen = {}
    try:
        for hook, payload in hooks.items():
            shared = peer.root.GlobalContext(request_id=hook, metadata={"tool": Tool(), "others": [Tool()], "n": 1})
            result, _ = await manager.invoke_hook(hook, peer.registry.json_to_payload(hook, payload), shared)
            seen[hook] = {"result": result.model_dump(mode="json"), "metadata": dict(shared.metadata)}
    finally:
        await manager.shutdown()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
