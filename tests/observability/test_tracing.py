"""Traces: a span for each call, in the caller's trace however the transport carries it, sent to a real receiver."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.environments import environment
from tests.support.faulty_plugin import SECRET
from tests.support.rendering import RenderedPlugin, dependencies
from tests.support.serving import START_LIMIT, Served, run, serve
from tests.support.transport_clients import INVOKE, connect_client
from tests.support.unix_v1 import UnixV1Client

from .collector import Collector, attributes, collect

TRANSPORTS = ["http", "grpc", "unix", "stdio"]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=value"}
NAME = "hook tool_pre_invoke"

OWN_SPANS = """
from opentelemetry import trace

from {package}.runtime import Plugin, ToolPostInvokeResult, ToolPreInvokeResult

tracer = trace.get_tracer("own")


class Own(Plugin):
    async def tool_pre_invoke(self, payload, context):
        with tracer.start_as_current_span("in the loop"):
            return ToolPreInvokeResult()

    def tool_post_invoke(self, payload, context):
        with tracer.start_as_current_span("in a thread"):
            return ToolPostInvokeResult()
"""


@pytest.fixture(scope="session")
def traced(rendered: RenderedPlugin) -> RenderedPlugin:
    """The rendered plugin in an environment with the extra otel."""
    python = environment("rendered-otel", dependencies(rendered.root, "grpc", "otel"))
    return RenderedPlugin(rendered.root, rendered.package, python)


def serve_traced(plugin: RenderedPlugin, config: str, collector: Collector, transports: str, *options: str) -> Any:
    """Serve with traces that leave soon."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    return serve(plugin, transports, "--config", config, *options, PLUGINS_OTEL_ENABLED="true", **environ)


def context(**metadata: str) -> dict[str, Any]:
    """A context whose request has metadata."""
    shared = {"request_id": "r-1", "state": {}, "metadata": metadata}
    return {"global_context": shared, "state": {}, "metadata": {}}


def mcp_call(meta: dict[str, str] | None = None, **metadata: str) -> str:
    """A call as MCP has it."""
    payload = {"name": "echo", "args": {}}
    arguments = {"hook_type": "tool_pre_invoke", "plugin_name": "Probe", "payload": payload}
    params: dict[str, Any] = {"name": "invoke_hook", "arguments": arguments | {"context": context(**metadata)}}
    if meta:
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


def post(served: Served, body: str, **headers: str) -> None:
    """Send a message over HTTP."""
    parts = urlsplit(served.endpoints["http"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.request("POST", "/mcp", body, {"Content-Type": "application/json", **headers})
    assert b"modified_payload" in connection.getresponse().read()
    connection.close()


def over_grpc(served: Served, modules: Any) -> None:
    pb = modules("runtime.contract.plugin_service_pb2")
    request = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    request.payload.update({"name": "echo", "args": {}})
    request.context.global_context.request_id = "r-1"
    with grpc.insecure_channel(served.endpoints["grpc"].partition("://")[2]) as channel:
        invoke: Any = channel.unary_unary(INVOKE, None, pb.InvokeHookResponse.FromString)
        reply = invoke(request.SerializeToString(), metadata=list(HEADERS.items()))
    assert "modified_payload" in reply.result


def over_unix(served: Served, modules: Any) -> None:
    async def call() -> None:
        client = await modules("runtime.client").connect(served.endpoints["unix"])
        reply = await client.invoke("tool_pre_invoke", "Probe", {"name": "echo", "args": {}}, context(), trace=HEADERS)
        assert "modified_payload" in reply["result"]
        await client.close()

    asyncio.run(call())


def over_stdio(served: Served, body: str) -> None:
    assert served.process.stdin is not None and served.process.stdout is not None
    served.process.stdin.write(body + "\n")
    served.process.stdin.flush()
    assert "modified_payload" in served.process.stdout.readline()


def over_old_unix(served: Served, modules: Any) -> None:
    pb = modules("runtime.contract.plugin_service_pb2")
    with UnixV1Client(served.endpoints["unix"].partition("://")[2], pb) as peer:
        request = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
        request.payload.update({"name": "echo", "args": {}})
        request.context.global_context.request_id = "r-1"
        request.context.global_context.metadata.update(HEADERS)
        peer.send(request.SerializeToString())
        assert "modified_payload" in peer.reply().result


WAYS: dict[str, tuple[str, Callable[[Served, Any], None]]] = {
    "HTTP header": ("http", lambda served, modules: post(served, mcp_call(), **HEADERS)),
    "MCP _meta over HTTP": ("http", lambda served, modules: post(served, mcp_call(HEADERS))),
    "MCP _meta over stdio": ("stdio", lambda served, modules: over_stdio(served, mcp_call(HEADERS))),
    "gRPC metadata": ("grpc", over_grpc),
    "Unix socket, version 2": ("unix", over_unix),
    "metadata over HTTP": ("http", lambda served, modules: post(served, mcp_call(None, **HEADERS))),
    "metadata over the Unix socket, version 1": ("unix", over_old_unix),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_joins_the_trace_of_its_caller(traced: RenderedPlugin, config: str, modules: Any, way: str) -> None:
    transport, call = WAYS[way]
    with collect() as collector, serve_traced(traced, config, collector, transport) as served:
        call(served, modules)
        (span,) = collector.wait(NAME)
        assert (span.trace_id.hex(), span.parent_span_id.hex(), span.trace_state) == (TRACE, PARENT, "vendor=value")
        assert span.kind == Span.SPAN_KIND_SERVER
        found = attributes(span)
        assert found.items() >= {
            "plugin.name": "Probe", "plugin.hook": "tool_pre_invoke", "plugin.transport": transport,
            "plugin.request_id": "r-1", "plugin.outcome": "modified",
        }.items()  # fmt: skip
        assert span.status.code == Status.STATUS_CODE_UNSET
        assert {resource["service.name"] for resource in collector.resources} == {traced.package}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_how_a_call_ended(traced: RenderedPlugin, config: str, pb: Any, transport: str) -> None:
    with collect() as collector, serve_traced(traced, config, collector, transport, "--hook-timeout", "0.5") as served:
        with connect_client(served, transport, pb) as line:
            for behaviour in ("violation", "crash", "deliberate"):
                line.call(behaviour, text="what-the-caller-sent")
            line.call("sleep", seconds=60)
        spans = [(attributes(span), span.status.code) for span in collector.wait(NAME, 4)]
        blocked, crashed, deliberate, late = (found for found, _ in spans)
        assert (blocked["plugin.outcome"], blocked["plugin.code"]) == ("blocked", "NO")
        assert "error.type" not in blocked
        assert (crashed["plugin.outcome"], crashed["error.type"]) == ("error", "HOOK_FAILED")
        assert (deliberate["plugin.outcome"], deliberate["error.type"]) == ("error", "UPSTREAM")
        assert (late["plugin.outcome"], late["error.type"]) == ("timeout", "HOOK_TIMEOUT")
        assert [code for _, code in spans] == [Status.STATUS_CODE_UNSET, *[Status.STATUS_CODE_ERROR] * 3]
        # A span holds as little of the call as a line of the log.
        for word in (SECRET, "what-the-caller-sent", "upstream is down"):
            assert not any(word.encode() in body for body in collector.bodies)
        for span in collector.spans[NAME]:
            assert not span.parent_span_id
            assert not span.events


def test_lines_of_the_log_name_the_trace(traced: RenderedPlugin, config: str, modules: Any) -> None:
    async def call(endpoint: str) -> None:
        client = await modules("runtime.client").connect(endpoint)
        await client.invoke("tool_pre_invoke", "Probe", {"name": "crash", "args": {}}, context(), trace=HEADERS)
        await client.close()

    with collect() as collector, serve_traced(traced, config, collector, "unix", "--log-format", "json") as served:
        asyncio.run(call(served.endpoints["unix"]))
        collector.wait(NAME)
    lines = [json.loads(line) for line in served.log]
    failed, ended = (line for line in lines if line["level"] == "ERROR")
    assert failed["message"] == "hook tool_pre_invoke of plugin Probe failed"
    assert ended["message"] == "call error"
    assert failed["trace_id"] == ended["trace_id"] == TRACE
    assert not any("trace_id" in line for line in lines if line["level"] != "ERROR")


def test_spans_of_plugins_belong_to_the_call(traced: RenderedPlugin, modules: Any, tmp_path: Path) -> None:
    (tmp_path / "own_spans.py").write_text(OWN_SPANS.format(package=traced.package))
    hooks = ["tool_pre_invoke", "tool_post_invoke"]
    plugins = [{"name": "Own", "kind": "own_spans.Own", "hooks": hooks}]
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"plugin_dirs": ["."], "plugins": plugins}))

    async def call(endpoint: str) -> None:
        client = await modules("runtime.client").connect(endpoint)
        for hook, payload in (("tool_pre_invoke", {"name": "x"}), ("tool_post_invoke", {"name": "x", "result": 1})):
            assert "result" in await client.invoke(hook, "Own", payload, context(), trace=HEADERS)
        await client.close()

    with collect() as collector, serve_traced(traced, str(config), collector, "unix") as served:
        asyncio.run(call(served.endpoints["unix"]))
        for own, of_call in (("in the loop", "tool_pre_invoke"), ("in a thread", "tool_post_invoke")):
            (inner,) = collector.wait(own)
            (outer,) = collector.wait(f"hook {of_call}")
            assert (inner.trace_id.hex(), inner.parent_span_id) == (TRACE, outer.span_id)


def test_the_last_spans_are_sent_when_the_server_stops(traced: RenderedPlugin, config: str, pb: Any) -> None:
    with collect() as collector:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "my-service"}
        server = serve(traced, "unix", "--config", config, PLUGINS_OTEL_ENABLED="1", **environ)
        with server as served, connect_client(served, "unix", pb) as line:
            line.call("echo")
        assert served.process.returncode == 0
        collector.wait(NAME)
        assert {resource["service.name"] for resource in collector.resources} == {"my-service"}


def test_a_dead_collector_keeps_no_server_from_stopping(traced: RenderedPlugin, config: str, pb: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"http://127.0.0.1:{gone.getsockname()[1]}"
    options = ("--config", config, "--grace", "0.5")
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": nobody, "PLUGINS_OTEL_ENABLED": "true", "PLUGINS_LOG_FORMAT": "json"}
    with serve(traced, "unix", *options, **environ) as served:
        with connect_client(served, "unix", pb) as line:
            assert line.call("echo", a=1).args == {"a": 1}
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(START_LIMIT) == 0
    assert all(json.loads(line)["message"] for line in served.log)


def test_without_the_packages_the_start_fails(rendered: RenderedPlugin, config: str) -> None:
    done = run(rendered, "serve", "--config", config, PLUGINS_OTEL_ENABLED="true")
    assert done.returncode == 2
    assert done.stderr == (
        "error: PLUGINS_OTEL_ENABLED is set, but the package opentelemetry is not installed; install the extra 'otel', "
        "or switch it off\n"
    )


def test_an_exporter_that_is_not_there(traced: RenderedPlugin, config: str) -> None:
    done = run(traced, "serve", "--config", config, PLUGINS_OTEL_ENABLED="true", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert done.returncode == 2
    assert done.stderr.startswith("error: OTEL_TRACES_EXPORTER: no package is installed for 'otlp_proto_grpc'; install")
