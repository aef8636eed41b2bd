"""Makes the calls of the compatibility matrix with a framework's client; runs where the framework is installed.

Takes a JSON object as its only argument: the framework's module, the client's block, the payload and the answer of each
hook, and the names of the plugins whose entries hold every vocabulary. Prints what the client saw as JSON.
"""

import asyncio
import json
import logging
import sys
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from .driver import Framework


class Tool(BaseModel):
    """Stands for the objects that a gateway puts into the context of tool hooks."""

    name: str = "search"


class Warned(logging.Handler):
    """Keeps what the framework warns of: its Unix client says there, and only there, that an entry is unreadable."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def entry(peer: Framework, block: dict[str, Any], name: str, warned: Warned) -> dict[str, Any]:
    """The configuration that a client holds once it has started, and what it warned of."""
    warned.lines.clear()
    plugin = peer.client(name, block)
    try:
        await plugin.initialize()
        seen = {"config": plugin.config.model_dump(mode="json")}
    except peer.error as error:
        seen = peer.told(error)
    finally:
        await plugin.shutdown()
    return seen | {"warnings": list(warned.lines)}


async def calls(peer: Framework, plugin: Any, hook: str, payload: Any, answer: Any) -> dict[str, Any]:
    """Everything that one hook is asked for."""
    seen: dict[str, Any] = {"sent": peer.registry.json_to_payload(hook, payload).model_dump(mode="json")}
    expected = peer.registry.json_to_result(hook, {"modified_payload": answer})
    seen["expected"] = expected.model_dump(mode="json")["modified_payload"]
    for do in ("modify", "violation", "error", "crash"):
        seen[do] = await peer.call(plugin, hook, payload, peer.context(do=do))
    own = peer.context(do="state")
    for call in ("first", "second"):
        seen[call] = await peer.call(plugin, hook, payload, own)
    seen["state"] = {"own": own.state, "shared": own.global_context.state}
    # As after a server's restart without the plugin: the client is ready, so its name is changed from inside.
    config = plugin._config
    plugin._config = config.model_copy(update={"name": "Nobody"})
    seen["unknown"] = await peer.call(plugin, hook, payload, peer.context(do="modify"))
    plugin._config = config
    try:
        seen["objects"] = await peer.call(plugin, hook, payload, peer.context(do="modify", tool=Tool()))
    except Exception as error:
        # Not only the framework's own error: its Unix client lets others out.
        seen["objects"] = {"error": {"message": f"{type(error).__name__}: {error}"}}
    return seen


async def main(framework: str, block: dict[str, Any], hooks: dict[str, Any], entries: list[str]) -> None:
    peer = Framework(framework)
    warned = Warned()
    logging.getLogger().handlers = [warned]
    packages = ("mcp", "grpcio", "protobuf", "pydantic")
    seen: dict[str, Any] = {"versions": {package: version(package) for package in packages}}
    seen["entries"] = {name: await entry(peer, block, name, warned) for name in entries}
    plugin = peer.client("Responder", block)
    try:
        await plugin.initialize()
        seen["hooks"] = {hook: await calls(peer, plugin, hook, *pair) for hook, pair in hooks.items()}
    finally:
        await plugin.shutdown()
    seen["unknown"] = await peer.unknown(block)
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
