"""What becomes of calls while the plugin cannot be asked, and after it is back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve
from tests.support.waiting import wait_until

from .gateways import PLUGIN, PROBE, Gateway

KEPT = ["--hook-timeout", "2"]
SCHEMES = ["unix", "grpc", "grpc+unix", "http"]


class Server:
    """A server that can be killed and started again at the same addresses.

    Args:
        plugin: the plugin.
        folder: where to put sockets.
    """

    def __init__(self, plugin: RenderedPlugin, folder: Path) -> None:
        self._plugin = plugin
        self._options = ["--socket", f"{folder}/u.sock", "--grpc-uds", f"{folder}/g.sock", *KEPT]
        self._stack = ExitStack()
        self.served: Served

    def start(self) -> None:
        """Start it; the ports of the first time are kept."""
        self.served = self._stack.enter_context(serve(self._plugin, "http,grpc,unix", *self._options))
        if "--port" not in self._options:
            for scheme, option in (("http", "--port"), ("grpc", "--grpc-port")):
                port = self.served.endpoints[scheme].split("://")[1].partition("/")[0].rpartition(":")[2]
                self._options += [option, port]

    def kill(self) -> None:
        """End it as a crash would."""
        self.served.process.kill()
        self.served.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.served.process.send_signal(number)

    def close(self) -> None:
        """End it."""
        self.served.process.send_signal(signal.SIGCONT)
        self._stack.close()


@pytest.fixture
def server(rendered: RenderedPlugin, short_path: Path) -> Iterator[Server]:
    own = Server(rendered, short_path)
    own.start()
    yield own
    own.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_call_is_blocked_while_the_plugin_is_down_and_passes_once_it_is_back(
    newest: Gateway, server: Server, scheme: str
) -> None:
    endpoint = server.served.endpoints[scheme]
    newest.open(endpoint)
    for _ in range(3):
        assert newest.search("call tango now")["modified_payload"]["args"] == {"query": "call *** now"}
        server.kill()
        down = newest.search("hello")
        assert (down["continue_processing"], down["violation"]["code"]) == (False, "PLUGIN_UNREACHABLE")
        assert endpoint not in down["violation"]["description"]
        assert down["seconds"] < 5
        server.start()
        # No waiting: the first call after the start succeeds.
    assert newest.search("hello")["continue_processing"] is True
    assert newest.said(f"WARNING {endpoint}: no connection: ")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_call_after_an_unnoticed_restart_succeeds(newest: Gateway, server: Server, scheme: str) -> None:
    newest.open(server.served.endpoints[scheme])
    for _ in range(2):
        server.kill()
        server.start()
        assert newest.search("call tango now")["modified_payload"]["args"] == {"query": "call *** now"}


def test_calls_pass_while_the_plugin_is_down_when_the_settings_say_so(newest: Gateway, server: Server) -> None:
    newest.open(server.served.endpoints["unix"], on_unavailable="allow")
    server.kill()
    answer = newest.search("classified")
    assert (answer["continue_processing"], answer["violation"], answer["modified_payload"]) == (True, None, None)
    assert answer["metadata"] == {f"{PLUGIN}.unavailable": "PLUGIN_UNREACHABLE"}
    assert newest.said("was not asked about tool_pre_invoke")
    assert newest.said("1 calls passed without it")
    assert 'outcome="unavailable",plugin="WordGuard"} 1.0' in newest.ask("metrics")
    server.start()
    assert newest.search("classified")["violation"]["code"] == "FORBIDDEN_WORD"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_gateway_starts_before_the_plugin(newest: Gateway, server: Server, scheme: str) -> None:
    server.kill()
    assert "raised" not in newest.open(server.served.endpoints[scheme])
    assert newest.said("WARNING plugin WordGuard is not up yet")
    assert newest.search("hello")["violation"]["code"] == "PLUGIN_UNREACHABLE"
    server.start()
    assert newest.search("hello")["continue_processing"] is True


def test_a_plugin_can_be_required_at_the_start(newest: Gateway, stopping: Gateway, server: Server) -> None:
    endpoint = server.served.endpoints["unix"]
    server.kill()
    # This gateway would go on without the plugin, and let its calls pass.
    assert "raised" not in newest.open(endpoint, required_at_start=True)
    assert newest.search("hello")["violation"]["code"] == "PLUGIN_UNREACHABLE"
    answer = stopping.open(endpoint, required_at_start=True)
    assert answer["raised"] == "StartError"
    assert answer["text"].startswith(f"plugin WordGuard: {endpoint}: ")


def test_a_plugin_that_hangs_costs_a_deadline_on_a_few_calls_only(newest: Gateway, server: Server) -> None:
    newest.open(server.served.endpoints["unix"], deadline=0.5, breaker_failures=2)
    assert newest.search("hello")["continue_processing"] is True
    server.signal(signal.SIGSTOP)
    for _ in range(2):
        answer = newest.search("hello")
        assert (answer["violation"]["code"], answer["seconds"] > 0.4) == ("PLUGIN_TIMEOUT", True)
    for _ in range(20):
        answer = newest.search("hello")
        assert (answer["violation"]["code"], answer["seconds"] < 0.4) == ("PLUGIN_TIMEOUT", True)
    server.signal(signal.SIGCONT)
    wait_until(lambda: bool(newest.search("hello")["continue_processing"]))
    assert newest.said("answers again")


def test_a_plugin_that_hung_and_was_restarted_gets_its_first_call(newest: Gateway, server: Server) -> None:
    newest.open(server.served.endpoints["unix"], deadline=0.5, breaker_failures=1)
    server.signal(signal.SIGSTOP)
    assert newest.search("hello")["violation"]["code"] == "PLUGIN_TIMEOUT"
    server.kill()
    server.start()
    assert newest.search("hello")["continue_processing"] is True


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_with_too_much_to_do_is_no_failure_of_the_plugin(
    newest: Gateway, rendered: RenderedPlugin, config: Path, scheme: str
) -> None:
    limits = {"PLUGINS_MAX_CONCURRENT_HOOKS": "1"}
    with serve(rendered, "http,grpc,unix", "--config", str(config), **limits) as served:
        newest.open(served.endpoints[scheme], PROBE)
        calls = [{"name": "sleep", "args": {"seconds": 0.3}} for _ in range(2)]
        answers = newest.ask("burst", name=PROBE, calls=calls, in_flight=2)
        codes = [answer["violation"]["code"] if answer["violation"] else None for answer in answers]
        assert sorted(codes, key=str) == [None, "PLUGIN_OVERLOADED"]
        assert not newest.said("no connection")
        assert newest.tool("sleep", {"seconds": 0})["continue_processing"] is True
