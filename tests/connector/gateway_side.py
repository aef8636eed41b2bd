"""The gateway's side of the tests: a connector in a framework's environment, told what to do line by line.

Takes a JSON object as its only argument: the framework's module, the rendered package and the folder that it is in.
Then each line of standard input is a JSON object {"do": name, ...}, and is answered by one line of JSON.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
import time
from typing import Any

from tests.gateway.driver import Framework


class Log(logging.Handler):
    """Keeps what the connector writes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


class Side:
    """What can be done; the names of the methods are those of the lines."""

    def __init__(self, framework: str, package: str, folder: str) -> None:
        sys.path.insert(0, folder)
        self.package = package
        self.framework = Framework(framework)
        self.plugins: dict[str, Any] = {}
        self.log = Log()
        self._watch_log(f"{package}.runtime.connector")

    async def open(
        self, name: str, hooks: list[str], config: dict[str, Any], connector: str | None = None
    ) -> dict[str, Any]:
        """Make a plugin as the gateway does from an entry of its file; `connector` names another copy's module."""
        module = connector or f"{self.package}.runtime.connector"
        entry = {"name": name, "kind": f"{module}.RemotePlugin", "hooks": hooks, "config": config}
        try:
            plugin = importlib.import_module(module).RemotePlugin(self.framework.root.PluginConfig(**entry))
            await plugin.initialize()
        except Exception as error:
            return {"raised": type(error).__name__, "text": str(error)}
        self.plugins[name] = plugin
        return {"hooks": sorted(hook for hook in hooks if callable(getattr(plugin, hook)))}

    async def setenv(self, name: str, value: str) -> None:
        """Set a variable of this process, as whoever starts a gateway does."""
        os.environ[name] = value

    async def add_folder(self, folder: str, connector: str) -> None:
        """Make the packages of a folder importable, and keep what the connector in one of them logs."""
        sys.path.insert(0, folder)
        self._watch_log(connector)

    async def call(
        self, name: str, hook: str, payload: dict[str, Any], state: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call a hook, and tell the result, the context after it, and how long it took."""
        context = self.framework.context()
        context.state.update(state or {})
        began = time.monotonic()
        try:
            typed = self.framework.registry.json_to_payload(hook, payload)
            result = await getattr(self.plugins[name], hook)(typed, context)
        except self.framework.error as error:
            return self.framework.told(error) | {"seconds": time.monotonic() - began}
        told: dict[str, Any] = result.model_dump(mode="json")
        after = {"state": context.state, "shared": context.global_context.state}
        return told | {"after": after, "seconds": time.monotonic() - began}

    async def traced(self, **wanted: Any) -> dict[str, Any]:
        """Call a hook inside a span, as a gateway that traces does."""
        library: Any = importlib.import_module("opentelemetry.trace")
        at = library.SpanContext(trace_id=0xA1, span_id=0xB2, is_remote=False, trace_flags=library.TraceFlags(1))
        with library.use_span(library.NonRecordingSpan(at)):
            return await self.call(**wanted)

    async def burst(self, name: str, calls: list[dict[str, Any]], in_flight: int) -> list[dict[str, Any]]:
        """Make many calls of tool_pre_invoke, some at once; tells for each what came back, in their order."""
        waiting = iter(enumerate(calls))
        answers: list[dict[str, Any]] = [{} for _ in calls]

        async def caller() -> None:
            for number, payload in waiting:
                answers[number] = await self.call(name, "tool_pre_invoke", payload)

        await asyncio.gather(*(caller() for _ in range(in_flight)))
        return answers

    async def probe(self, module: str, **wanted: Any) -> Any:
        """Run the function `run` of a module in this environment."""
        return await importlib.import_module(module).run(self, **wanted)

    async def metrics(self) -> str:
        """The gateway's metrics."""
        library = importlib.import_module("prometheus_client")
        return str(library.generate_latest().decode())

    async def make_counter(self, name: str) -> None:
        """Make a counter of the gateway's own."""
        importlib.import_module("prometheus_client").Counter(name, "A counter of the gateway.")

    async def said(self) -> list[str]:
        """What the connector wrote to the log."""
        return self.log.lines

    async def reset(self) -> None:
        """Shut all plugins down, and forget what was logged and counted."""
        await self.close()
        self.log.lines.clear()
        for metric in importlib.import_module(f"{self.package}.runtime.connector.metrics").shared_metrics().values():
            metric.clear()

    async def close(self) -> None:
        """Shut all plugins down."""
        for plugin in self.plugins.values():
            await plugin.shutdown()
        self.plugins.clear()

    def _watch_log(self, name: str) -> None:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(self.log)


async def main(**job: str) -> None:
    side = Side(**job)
    loop = asyncio.get_running_loop()
    print("{}", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        wanted = json.loads(line)
        print(json.dumps(await getattr(side, wanted.pop("do"))(**wanted)), flush=True)
    await side.close()


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.CRITICAL)
    asyncio.run(main(**json.loads(sys.argv[1])))
