"""What Docker's MCP gateway does with its plugins: starts them or finds them, asks for their health, calls, stops."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import wait_until

PORT_LIMIT = 10.0
HEALTH_LIMIT = 10.0
KILL_AFTER = 5.0
CALL_LIMIT = 30.0


class CallFailed(Exception):
    """The plugin answered with another status than 200; holds the status and the text."""


@dataclass
class Sidecar:
    """A plugin that is found at an address.

    Attributes:
        url: where it serves.
        headers: sent with every request.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def wait_for_health(self) -> None:
        """Ask until the plugin says that it is alive."""

        def healthy() -> bool:
            try:
                return self._request("GET", "/health")[0] == 200
            except OSError:
                return False

        wait_until(healthy, HEALTH_LIMIT, lambda: "the plugin was not healthy in time")

    def call(self, method: str, params: Any) -> Any:
        """Call a method; returns its result."""
        return self.post({"method": method, "params": params})["result"]

    def post(self, message: Any) -> Any:
        """Post a message, bytes or what is written as JSON; returns the decoded answer."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        status, answer = self._request("POST", "/call", body, {"Content-Type": "application/json"})
        if status != 200:
            raise CallFailed(status, answer.decode())
        return json.loads(answer)

    def _request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=CALL_LIMIT)
        try:
            connection.request(method, path, body, {**headers, **self.headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Subprocess(Sidecar):
    """A plugin that the gateway starts and stops.

    Args:
        command: its command line.
        environ: its environment.
        folder: where it is started.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, env=environ, cwd=folder, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.errors: list[str] = []
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()
        try:
            super().__init__(f"http://127.0.0.1:{self._read_port()}")
            self.wait_for_health()
        except BaseException:
            self.release()
            raise

    def close(self, number: int = signal.SIGTERM) -> int:
        """Stop the plugin: by a signal, and when it takes too long by SIGKILL; returns the exit code."""
        os.kill(self.process.pid, number)
        try:
            code = self.process.wait(KILL_AFTER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._drainer.join(CALL_LIMIT)
        return code

    def rest_of_output(self) -> str:
        """What the plugin wrote on standard output after the first line, once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def release(self) -> None:
        """Leave nothing behind, however the plugin does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._drainer.join(CALL_LIMIT)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _read_port(self) -> int:
        lines: queue.Queue[str] = queue.Queue()
        assert self.process.stdout is not None
        # One line and no more: this gateway leaves the rest in the pipe.
        threading.Thread(target=lambda out: lines.put(out.readline()), args=(self.process.stdout,), daemon=True).start()
        line = lines.get(timeout=PORT_LIMIT)
        assert line.startswith("PORT="), f"expected PORT=<n>, got {line!r}\n{''.join(self.errors)}"
        return int(line.removeprefix("PORT="))

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)
