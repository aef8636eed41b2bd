"""Calls a plugin server with the clients of cpex. Run by an interpreter that has cpex; its argument is an entry of the
gateway's plugins file as JSON. Prints the identity that the hook saw, or the error, as JSON.
"""

# mypy: ignore-errors
# It imports what only that interpreter has.

import asyncio
import json
import logging
import sys

from cpex.framework import GlobalContext, PluginConfig, PluginContext, PluginError, ToolHookType
from cpex.framework.hooks.tools import ToolPreInvokePayload


async def main(entry):
    if "mcp" in entry:
        from cpex.framework.external.mcp.client import ExternalPlugin as Client
    else:
        from cpex.framework.external.grpc.client import GrpcExternalPlugin as Client
    plugin = Client(PluginConfig(**entry))
    try:
        await plugin.initialize()
        context = PluginContext(global_context=GlobalContext(request_id="r-1"))
        payload = ToolPreInvokePayload(name="who", args={})
        result = await plugin.invoke_hook(ToolHookType.TOOL_PRE_INVOKE, payload, context)
        print(json.dumps({"identity": result.modified_payload.args["identity"]}))
    except PluginError as error:
        print(json.dumps({"error": error.error.message}))
    finally:
        await plugin.shutdown()


logging.disable(logging.CRITICAL)
asyncio.run(main(json.loads(sys.argv[1])))
