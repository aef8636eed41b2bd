"""A gateway of one's own: its process, its database, and calls of its tool."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gateway.releases import GatewayRelease
from tests.support.waiting import wait_until

from .matrix import free_port

BOOT_LIMIT = 120.0
CALL_LIMIT = 60.0
STOP_LIMIT = 30.0
PAUSE = 0.1
TOOL = "echo"
ADMIN = "admin@example.com"


@dataclass(frozen=True)
class Answer:
    """The answer to one call of the tool.

    Attributes:
        text: what the tool said.
        code: JSON-RPC's error code, or the HTTP status of an answer that is none; 0 without an error.
        error: the error's message.
        seconds: how long it took.
    """

    text: str
    code: int
    error: str
    seconds: float


class Gateway:
    """A running gateway.

    Args:
        process: its process.
        url: its address.
        token: what its administrator shows.
        log: the file that it writes its log to.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, token: str, log: Path) -> None:
        self.process = process
        self.log = log
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def healthy(self) -> bool:
        """Whether it serves; False while it boots.

        Raises:
            GatewayStopped: it ended.
        """
        if self.process.poll() is not None:
            raise GatewayStopped(f"the gateway ended with {self.process.returncode}\n{tail(self.log)}")
        try:
            self._ask("/health")
        except OSError:
            return False
        return True

    def register(self, url: str) -> None:
        """Register a REST tool with one text argument."""
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        tool = {"name": TOOL, "url": url, "integration_type": "REST", "request_type": "POST", "input_schema": schema}
        self._ask("/tools", {"tool": tool | {"description": "Says it again."}})

    def call(self, text: str) -> Answer:
        """Call the tool by JSON-RPC."""
        call = {"name": TOOL, "arguments": {"text": text}}
        started = time.monotonic()
        try:
            reply = self._ask("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
        except Refused as error:
            reply = {"error": {"code": error.status, "message": str(error)}}
        seconds = time.monotonic() - started
        if "error" in reply:
            return Answer("", reply["error"]["code"], reply["error"]["message"], seconds)
        return Answer(reply["result"]["content"][0]["text"], 0, "", seconds)

    def _ask(self, path: str, content: dict[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self._url + path, body, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=CALL_LIMIT) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, f"{path}: {error.code} {error.read().decode()}") from None


class Refused(Exception):
    """A gateway answered with an HTTP error.

    Args:
        status: its status.
        text: what was asked, and the answer.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class GatewayStopped(Exception):
    """A gateway ended by itself."""


@contextmanager
def gateway(
    release: GatewayRelease, plugins_file: Path, folder: Path, cwd: Path, *python_path: Path
) -> Iterator[Gateway]:
    """Run a gateway on a free port, with a new database.

    Args:
        release: which gateway.
        plugins_file: its plugins file.
        folder: where to put database and log.
        cwd: its working folder; it looks for `plugin_dirs` below it only.
        python_path: folders on its PYTHONPATH.

    Raises:
        GatewayStopped: it did not start.
    """
    environ = _environ(plugins_file, folder, python_path)
    made = [str(release.python), "-m", "mcpgateway.utils.create_jwt_token", "--username", ADMIN]
    token = subprocess.run(made, cwd=cwd, env=environ, capture_output=True, text=True, check=True).stdout.split()[-1]
    port = free_port()
    serve = ["-m", "uvicorn", "mcpgateway.main:app", "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "gateway.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(release.python), *serve], cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    try:
        running = Gateway(process, f"http://127.0.0.1:{port}", token, log)
        wait_until(running.healthy, BOOT_LIMIT, lambda: f"the gateway does not serve\n{tail(log)}", PAUSE)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a gateway's log, which are JSON for the most part, for people to read."""
    text = []
    for line in log.read_text("utf-8", "replace").splitlines()[-lines:]:
        try:
            entry = json.loads(line)
            line = f"{entry['levelname']} {entry['name']}: {entry['message']} {entry.get('exc_info', '')}"
        except (ValueError, KeyError, TypeError):
            pass
        text.append(line[:1000])
    return "\n".join(text)


def _environ(plugins_file: Path, folder: Path, python_path: Sequence[Path]) -> dict[str, str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PLUGINS_", "PYTHON"))}
    return clean | {
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(map(str, python_path)),
        "DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}",
        "PLUGINS_ENABLED": "true",
        "PLUGINS_CONFIG_FILE": str(plugins_file),
        # Otherwise 1.0.1 and later go on without a plugin that they cannot reach.
        "PLUGINS_FAIL_ON_PLUGIN_ERROR": "true",
        # The plugin and the tool listen on loopback.
        "PLUGINS_SSRF_PROTECTION_ENABLED": "false",
        "SSRF_ALLOW_LOCALHOST": "true",
        "JWT_SECRET_KEY": secrets.token_hex(32),
        "AUTH_ENCRYPTION_SECRET": secrets.token_hex(32),
        "PLATFORM_ADMIN_PASSWORD": f"Aa1!{secrets.token_hex(12)}",
        "DEFAULT_USER_PASSWORD": f"Aa1!{secrets.token_hex(12)}",
        "PASSWORD_CHANGE_ENFORCEMENT_ENABLED": "false",
    }
