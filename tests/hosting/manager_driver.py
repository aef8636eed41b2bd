"""Runs hooks through the plugin manager of cpex, as a gateway does; runs in an environment that has cpex.

Takes a JSON object as its only argument: runs by name, each with the path of a plugins file and cases of hook, payload
and context state. Prints for each case what the manager returned, and the contexts of the plugins afterwards.
"""

import asyncio
import importlib
import json
import sys
from typing import Any

framework: Any = importlib.import_module("cpex.framework")


async def run(config: str, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    manager = framework.TenantPluginManager(config)
    await manager.initialize()
    registry = framework.get_hook_registry()
    seen: list[dict[str, Any]] = []
    try:
        for case in cases:
            payload = registry.json_to_payload(case["hook"], case["payload"])
            shared = framework.GlobalContext(request_id="r-1", user="a@example.com", state=case.get("state", {}))
            try:
                result, contexts = await manager.invoke_hook(case["hook"], payload, shared)
            except Exception as error:
                seen.append({"raised": type(error).__name__})
                continue
            verdict = result.model_dump(mode="json", exclude={"executions"})
            # The table's keys hold random ids of the plugins' references.
            states = [{"state": item.state, "metadata": item.metadata} for item in (contexts or {}).values()]
            seen.append({"result": verdict, "contexts": states, "shared": shared.state})
    finally:
        await manager.shutdown()
    return seen


async def main(runs: dict[str, Any]) -> None:
    print(json.dumps({name: await run(**job) for name, job in runs.items()}))


asyncio.run(main(**json.loads(sys.argv[1])))
