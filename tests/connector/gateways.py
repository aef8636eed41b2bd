"""Gateways for the tests: a process in a framework's environment that holds connectors."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.gateway.clients import SETTINGS
from tests.support.rendering import ALL_HOOKS, ROOT, RenderedPlugin

PLUGIN = "WordGuard"
PROBE = "Probe"
END_LIMIT = 30.0


class Installed(Protocol):
    """A framework that is installed somewhere."""

    @property
    def framework(self) -> str:
        """The module that holds its names."""

    @property
    def python(self) -> Path:
        """The Python that has it."""


class Gateway:
    """Talks to the process of gateway_side.py.

    Args:
        process: the process.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, do: str, **wanted: Any) -> Any:
        """Have something done, and return what came of it."""
        self.begin(do, **wanted)
        return self.answer()

    def begin(self, do: str, **wanted: Any) -> None:
        """Have something done without waiting for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do} | wanted) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What came of the thing that was begun."""
        assert self._process.stdout is not None
        # Gateways print lines of their own.
        while line := self._process.stdout.readline():
            if line.startswith(("{", "[", '"', "null")):
                return json.loads(line)
        raise AssertionError(f"the gateway's side ended with {self._process.wait()}")

    def open(
        self,
        endpoint: str,
        name: str = PLUGIN,
        hooks: list[str] = ALL_HOOKS,
        connector: str | None = None,
        **config: Any,
    ) -> dict[str, Any]:
        """Make a connector, as from an entry of the gateway's plugins file.

        Args:
            endpoint: where the server is.
            name: the name of the entry.
            hooks: its hooks.
            connector: the module of another copy of the connector than the rendered plugin's.
            config: further settings of the entry.
        """
        made: dict[str, Any] = self.ask(
            "open", name=name, hooks=hooks, connector=connector, config={"endpoint": endpoint} | config
        )
        return made

    def search(self, query: str, name: str = PLUGIN) -> dict[str, Any]:
        """Call tool_pre_invoke with a query."""
        return self.tool("search", {"query": query}, name)

    def tool(self, tool: str, args: dict[str, Any], name: str = PROBE) -> dict[str, Any]:
        """Call tool_pre_invoke."""
        payload = {"name": tool, "args": args}
        answer: dict[str, Any] = self.ask("call", name=name, hook="tool_pre_invoke", payload=payload)
        return answer

    def said(self, text: str) -> bool:
        """Whether the connector's log holds a text."""
        return any(text in line for line in self.ask("said"))


@contextmanager
def gateway(release: Installed, plugin: RenderedPlugin) -> Iterator[Gateway]:
    """Run a gateway's side to the end of the block.

    Args:
        release: the framework.
        plugin: the rendered plugin, whose connector it holds.
    """
    job = {"framework": release.framework, "package": plugin.package, "folder": str(plugin.root / "src")}
    # The framework writes into the folder that it is started in.
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/errors", "w+") as errors:
        process = subprocess.Popen(
            [str(release.python), "-m", "tests.connector.gateway_side", json.dumps(job)],
            env=os.environ | SETTINGS | {"PYTHONPATH": str(ROOT)}, cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        try:
            with process:  # closes the pipes
                side = Gateway(process)
                assert side.answer() == {}
                yield side
                assert process.stdin is not None
                process.stdin.close()
                assert process.wait(END_LIMIT) == 0
        except BaseException as error:
            process.kill()
            errors.seek(0)
            error.add_note(errors.read()[-4000:])
            raise
