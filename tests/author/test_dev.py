"""`dev` serves what is saved, and what was saved before while the new does not start."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.faulty_plugin import write_config
from tests.support.processes import children, running
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, environ, run, serve
from tests.support.transport_clients import ConnectionLostError, connect_client
from tests.support.waiting import wait_until

PAYLOAD = '{"name": "x", "args": {"a": "tango"}}'
READY = "dev: saved changes are taken over; Ctrl-C ends"
TAKEN = "dev: serving the new code"
KEPT = "dev: this does not start (the reason is above); the old code goes on serving"


@pytest.fixture
def plugin(author: RenderedPlugin, tmp_path: Path) -> RenderedPlugin:
    """A repository of the test's own, to write in."""
    return RenderedPlugin(shutil.copytree(author.root, tmp_path / "my-plugin"), author.package, author.python)


@contextmanager
def dev(plugin: RenderedPlugin, transports: str = "http", *options: str) -> Iterator[Served]:
    with serve(plugin, transports, *options, subcommand="dev") as served:
        said(served, READY)
        yield served


def said(served: Served, text: str, times: int = 1) -> None:
    def found() -> bool:
        return sum(text in line for line in served.log) >= times

    wait_until(found, otherwise=lambda: f"{text!r} is not there {times} times:\n{''.join(served.log)}")


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def answer(plugin: RenderedPlugin, endpoint: str) -> str:
    done = run(plugin, "call", "tool_pre_invoke", PAYLOAD, "--endpoint", endpoint)
    assert done.returncode == 0, done.stderr
    return next(line for line in done.stdout.splitlines() if line.startswith("  +")).partition('"a": ')[2]


def test_a_saved_change_is_served_in_the_same_places(plugin: RenderedPlugin) -> None:
    with dev(plugin, "http,grpc,unix") as served:
        rewrite(plugin.root / "src/my_plugin/plugin.py", "self.settings.mask, text", '"[one]", text')
        said(served, TAKEN)
        assert [answer(plugin, endpoint) for endpoint in served.endpoints.values()] == ['"[one]"'] * 4
        rewrite(plugin.root / "src/my_plugin/plugin.py", '"[one]", text', "self.settings.mask, text")
        rewrite(plugin.root / "resources/plugins/config.yaml", 'mask: "***"', 'mask: "[two]"')
        wait_until(lambda: answer(plugin, served.endpoints["unix"]) == '"[two]"', pause=0.2)
    assert served.process.returncode == 0
    assert not Path(served.endpoints["unix"].removeprefix("unix://")).exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("src/my_plugin/plugin.py", "class MyPlugin", "clas MyPlugin", "SyntaxError: invalid syntax (plugin.py, line "),
        (
            "src/my_plugin/plugin.py",
            "import re\n",
            "import rex\n",
            "ModuleNotFoundError: No module named 'rex' (plugin.py, line ",
        ),
        (
            "src/my_plugin/plugin.py",
            "Word = ",
            "Word = Words or ",
            "NameError: name 'Words' is not defined (plugin.py, line ",
        ),
        ("resources/plugins/config.yaml", "mask:", "maks:", "config.maks: Extra inputs are not permitted"),
    ],
)
def test_the_old_code_serves_while_the_new_does_not_start(
    plugin: RenderedPlugin, file: str, old: str, new: str, reason: str
) -> None:
    with dev(plugin) as served:
        before = len(served.log)
        rewrite(plugin.root / file, old, new)
        said(served, KEPT)
        lines = [line.rstrip() for line in served.log[before:]]
        assert len(lines) == 3, lines
        assert lines[0] == f"dev: changed: {file}"
        assert lines[1].startswith("error: ")
        assert reason in lines[1]
        assert answer(plugin, served.endpoints["http"]) == '"***"'
        rewrite(plugin.root / file, new, old)
        said(served, TAKEN)
        assert answer(plugin, served.endpoints["http"]) == '"***"'


def test_it_may_begin_with_code_that_does_not_start(plugin: RenderedPlugin) -> None:
    path, began = plugin.root / "src/my_plugin/plugin.py", plugin.root / "began"
    good = path.read_text()
    rewrite(path, "Word = ", "open('began', 'w').close()\n1 / 0\nWord = ")

    def mend() -> None:
        wait_until(began.exists)
        path.write_text(good)

    author = threading.Thread(target=mend)
    author.start()
    with dev(plugin) as served:
        assert "ZeroDivisionError: division by zero" in "".join(served.log)
        said(served, "dev: this does not start (the reason is above); waiting for a change")
        assert answer(plugin, served.endpoints["http"]) == '"***"'
    author.join()


def test_a_server_that_dies_is_started_by_the_next_change(plugin: RenderedPlugin) -> None:
    path = plugin.root / "src/my_plugin/plugin.py"
    rewrite(
        path,
        "        if violation :=",
        "        import os; os._exit(3) if 'die' in str(payload) else None\n        if v :=",
    )
    rewrite(path, "violation=violation)", "violation=v)")
    with dev(plugin) as served:
        words = ["call", "tool_pre_invoke", '{"name": "die"}', "--endpoint", served.endpoints["http"]]
        assert run(plugin, *words).returncode == 2
        said(served, "dev: the server ended with exit code 3; waiting for a change")
        rewrite(path, "'die' in", "'dye' in")
        said(served, TAKEN)
        assert answer(plugin, served.endpoints["http"]) == '"***"'


@pytest.mark.parametrize("scheme", ["http", "grpc", "grpc+unix", "unix"])
def test_nobody_is_refused_while_the_server_is_replaced(
    author: RenderedPlugin, tmp_path: Path, pb: Any, scheme: str
) -> None:
    config = write_config(tmp_path, author)
    with dev(author, scheme.partition("+")[0], "--config", str(config)) as served:
        stop, processes, problems = threading.Event(), set[int](), list[str]()
        caller = threading.Thread(target=_keep_calling, args=(served, scheme, pb, stop, processes, problems))
        caller.start()
        try:
            for number in range(1, 4):
                with (tmp_path / "faulty_plugin.py").open("a") as file:
                    file.write(f"# {number}\n")
                said(served, TAKEN, number)
                wait_until(lambda: len(processes) > number)  # noqa: B023 - called before the next round
        finally:
            stop.set()
            caller.join()
    assert problems == []
    assert len(processes) == 4


def _keep_calling(
    served: Served, scheme: str, pb: Any, stop: threading.Event, processes: set[int], problems: list[str]
) -> None:
    place = served.endpoints[scheme].partition("://")[2].removesuffix("/mcp")
    while not stop.is_set():
        try:
            _connect(scheme, place).close()
            # A server that stops may close a connection without calls; its client calls on another one.
            with suppress(ConnectionLostError), connect_client(served, scheme, pb) as conversation:
                processes.add(conversation.process())
        except Exception as error:
            problems.append(repr(error))
            return


def _connect(scheme: str, place: str) -> socket.socket:
    if scheme.endswith("unix"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(place)
        return sock
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_server(author: RenderedPlugin, number: signal.Signals) -> None:
    with dev(author) as served:
        (server,) = children(served.process.pid)
        served.process.send_signal(number)
        assert served.process.wait(30) == 0
        assert not running(server)
    assert not [line for line in served.log if "Traceback" in line]


def refused(plugin: RenderedPlugin, *options: str, **variables: str) -> str:
    done = run(plugin, "dev", *options, **variables)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_stdio_is_refused(author: RenderedPlugin) -> None:
    text = refused(author, "--transport", "stdio")
    assert "dev cannot serve stdio, where the gateway starts the server; name others with --transport" in text


def test_without_watchfiles_it_says_what_to_install(rendered: RenderedPlugin) -> None:
    assert "install the extra 'dev' (make install-dev)" in refused(rendered)


@pytest.fixture
def warnings(plugin: RenderedPlugin) -> Callable[[str], list[str]]:
    """Serve a plugin that is at odds with its configuration and with the gateway, and return its warnings."""

    def warnings(subcommand: str) -> list[str]:
        config = plugin.root / "resources/plugins/config.yaml"
        rewrite(config, "- tool_post_invoke", "- prompt_pre_fetch")
        path = plugin.root / "src/my_plugin/plugin.py"
        text = path.read_text().replace("ToolPostInvoke", "ResourcePreFetch").replace("tool_post_", "resource_pre_")
        text = text.replace("resource_pre_invoke", "resource_pre_fetch").replace("payload.result", "payload.metadata")
        path.write_text(text.replace('{"result": masked', '{"vendor": 1, "metadata": masked'))
        with serve(plugin, "http", subcommand=subcommand) as served:
            for _ in range(2):
                payload = '{"uri": "x", "metadata": {"label": "tango"}, "vendor": 2}'
                done = run(plugin, "call", "resource_pre_fetch", payload, "--endpoint", served.endpoints["http"])
                assert done.returncode == 0, done.stdout + done.stderr
        return [line.strip().partition("plugin MyPlugin ")[2] for line in served.log if " WARNING " in line]

    return warnings


LISTED = (
    "lists hook prompt_pre_fetch, which my_plugin.plugin.MyPlugin does not implement; "
    "write its method, or take it out of hooks"
)


def test_it_warns_of_what_the_gateway_will_not_do(warnings: Callable[[str], list[str]]) -> None:
    assert warnings("dev") == [
        LISTED,
        "implements hook resource_pre_fetch, which its entry does not list; "
        "add resource_pre_fetch to hooks in the configuration file, or the gateway never calls it",
        "changes vendor at resource_pre_fetch, which the gateway drops: it takes changes of metadata, uri only",
    ]


def test_serve_warns_of_what_will_fail_only(warnings: Callable[[str], list[str]]) -> None:
    assert warnings("serve") == [LISTED]


def test_the_tests_of_an_author_see_the_warnings(run_tests: Callable[[str], Any], author: RenderedPlugin) -> None:
    assert environ(author).get("PLUGINS_DEV") is None
    done = run_tests(
        """
from my_plugin.runtime import Plugin, PromptPrehookResult
from my_plugin.runtime.testing import hosted

class Renames(Plugin):
    async def prompt_pre_fetch(self, payload, context):
        return PromptPrehookResult(modified_payload=payload.model_copy(update={"prompt_id": "other"}))

async def test_it(caplog):
    async with hosted(Renames) as plugin:
        for _ in range(2):
            assert (await plugin.call("prompt_pre_fetch", {"prompt_id": "x"})).allowed
    (record,) = caplog.records
    assert "changes prompt_id at prompt_pre_fetch, which the gateway drops" in record.getMessage()
"""
    )
    assert done.returncode == 0, done.stdout + done.stderr
