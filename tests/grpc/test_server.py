"""gRPC as its own tools see it: service names, health, reflection, status codes, stopping."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.support.probe_server import MAX_BYTES
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, run, serve
from tests.support.unix_v1 import UnixV1Client

PACKAGES = ["cpex", "mcpgateway.plugins"]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIMIT = 20.0


def call(channel: grpc.Channel, method: str, data: bytes, read: Callable[[bytes], Any] = bytes) -> Any:
    stub: Any = channel.unary_unary(method, None, read)
    return stub(data, timeout=LIMIT)


def health(channel: grpc.Channel) -> Any:
    # The package's type stubs know the stub's methods only by its own type.
    return health_pb2_grpc.HealthStub(channel)


@pytest.mark.parametrize("package", PACKAGES)
def test_configs_under_both_packages(channel: grpc.Channel, pb: Any, package: str) -> None:
    service = f"/{package}.PluginService"
    asked = pb.GetPluginConfigRequest(name="PROBE").SerializeToString()
    one = call(channel, f"{service}/GetPluginConfig", asked, pb.GetPluginConfigResponse.FromString)
    assert one.found
    assert one.config["version"] == "1.2.3"
    nobody = pb.GetPluginConfigRequest(name="nobody").SerializeToString()
    assert not call(channel, f"{service}/GetPluginConfig", nobody, pb.GetPluginConfigResponse.FromString).found
    every = call(channel, f"{service}/GetPluginConfigs", b"", pb.GetPluginConfigsResponse.FromString)
    assert [config["name"] for config in every.configs] == ["WordGuard", "Probe"]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize(
    ("service", "status"),
    [("", "SERVING"), ("probe", "SERVING"), ("cpex.PluginService", "SERVING"), ("nobody", "SERVICE_UNKNOWN")],
)
def test_the_old_health(channel: grpc.Channel, pb: Any, package: str, service: str, status: str) -> None:
    asked = pb.HealthCheckRequest(service=service).SerializeToString()
    reply = call(channel, f"/{package}.Health/Check", asked, pb.HealthCheckResponse.FromString)
    assert pb.HealthCheckResponse.ServingStatus.Name(reply.status) == status


@pytest.mark.parametrize(
    "service", ["", "Probe", "WordGuard", "grpc.health.v1.Health", *(f"{name}.PluginService" for name in PACKAGES)]
)
def test_the_standard_health(channel: grpc.Channel, service: str) -> None:
    assert health(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=LIMIT).status == SERVING


def test_the_standard_health_of_nobody(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        health(channel).Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=LIMIT)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_every_service(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    assert services == {
        *(f"{package}.{service}" for package in PACKAGES for service in ("PluginService", "Health")),
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    pool: Any = DescriptorPool(database)
    for package in PACKAGES:
        method = pool.FindServiceByName(f"{package}.PluginService").methods_by_name["InvokeHook"]
        assert method.input_type.full_name == f"{package}.InvokeHookRequest"
        context = method.output_type.fields_by_name["context"].message_type
        assert context.full_name == f"{package}.PluginContext"
        metrics = pool.FindMessageTypeByName(f"{package}.DenialMetadata").fields_by_name["fields"].message_type
        assert metrics.fields_by_name["value"].message_type.full_name == f"{package}.DenialMetric"
    for version in ("v1", "v1alpha"):
        reflection = pool.FindServiceByName(f"grpc.reflection.{version}.ServerReflection")
        asked = reflection.methods_by_name["ServerReflectionInfo"].input_type
        assert asked.full_name == f"grpc.reflection.{version}.ServerReflectionRequest"


def test_both_versions_of_reflection_say_the_same(channel: grpc.Channel) -> None:
    # The messages of both are the same but for the package's name.
    question = reflection_pb2.ServerReflectionRequest(file_containing_symbol="cpex.PluginService")
    answers = []
    for version in ("v1", "v1alpha"):
        ask: Any = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        answers.append(list(ask(iter([question]), timeout=LIMIT)))
    assert answers[0] == answers[1]
    assert len(answers[0][0].file_descriptor_response.file_descriptor_proto) > 1


@pytest.mark.parametrize("method", ["/cpex.PluginService/Nothing", "/nobody.PluginService/InvokeHook"])
def test_an_unknown_method(channel: grpc.Channel, method: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, method, b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", ["InvokeHook", "GetPluginConfig", "GetPluginConfigs"])
@pytest.mark.parametrize("package", PACKAGES)
def test_a_malformed_request(channel: grpc.Channel, package: str, method: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, f"/{package}.PluginService/{method}", b"\xff\xff\xff")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "the request is no cpex." in (refused.value.details() or "")


def test_a_message_over_the_limit(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "/cpex.PluginService/InvokeHook", b"\0" * (MAX_BYTES + 1))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_port_in_use_is_refused(rendered: RenderedPlugin, served: Served) -> None:
    port = served.endpoints["grpc"].rpartition(":")[2]
    done = run(rendered, "serve", "--transport", "grpc", "--grpc-port", port)
    assert done.returncode == 2
    assert re.search(rf"127\.0\.0\.1:{port}: the port is in use; .*--grpc-port", done.stderr)
    assert len(done.stderr.splitlines()) == 1


def test_a_live_socket_is_refused(rendered: RenderedPlugin, served: Served) -> None:
    path = served.endpoints["grpc+unix"].removeprefix("grpc+unix://")
    done = run(rendered, "serve", "--transport", "grpc", "--grpc-uds", path)
    assert done.returncode == 2
    assert "another server is listening there" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_socket_never_has_another_mode(rendered: RenderedPlugin, short_path: Path) -> None:
    """Traces the server's own calls: what is bound, and the umask at that moment."""
    trace = short_path / "trace"
    tracer = (
        "import os, runpy, socket, sys\n"
        "umask, bind = os.umask, socket.socket.bind\n"
        "def traced(self, address):\n"
        "    mask = umask(0o777); umask(mask)\n"
        "    bind(self, address)\n"
        "    mode = os.stat(address).st_mode & 0o777\n"
        f"    open({str(trace)!r}, 'w').write(f'{{mask:o}} {{mode:o}}')\n"
        "socket.socket.bind = traced\n"
        f"sys.argv = ['plugin', 'serve', '--transport', 'grpc', '--grpc-uds', {str(short_path / 'g.sock')!r}]\n"
        f"runpy.run_module({rendered.package!r}, run_name='__main__')\n"
    )
    (short_path / "tracer.py").write_text(tracer)
    process = subprocess.Popen(
        [str(rendered.python), str(short_path / "tracer.py")],
        cwd=rendered.root, env=os.environ | rendered.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert any("grpc+unix://" in line for line in process.stderr)
    assert trace.read_text() == "177 600"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=START_LIMIT)
    assert process.returncode == 0
    assert [path.name for path in short_path.iterdir() if "sock" in path.name] == []


def test_a_stop_tells_watchers_and_answers_calls_in_flight(rendered: RenderedPlugin, config: Path, pb: Any) -> None:
    with serve(rendered, "grpc,unix", "--config", str(config), "--grace", "20") as served:
        address = served.endpoints["grpc"].removeprefix("grpc://")
        with grpc.insecure_channel(address) as channel, ThreadPoolExecutor(20) as threads:
            database = ProtoReflectionDescriptorDatabase(channel)
            assert database.get_services()
            watch = health(channel).Watch(health_pb2.HealthCheckRequest(service="Probe"), timeout=LIMIT)
            assert next(watch).status == SERVING
            with UnixV1Client(served.endpoints["unix"].removeprefix("unix://"), pb) as peer:
                data = peer.request("sleep", {"seconds": 1})
            calls = [
                threads.submit(call, channel, "/cpex.PluginService/InvokeHook", data, pb.InvokeHookResponse.FromString)
                for _ in range(20)
            ]
            # A call on the same connection that comes back shows that those before it were begun.
            call(channel, "/cpex.PluginService/GetPluginConfigs", b"")
            served.process.send_signal(signal.SIGTERM)
            assert [reply.status for reply in watch] == [NOT_SERVING]
            for future in calls:
                assert future.result(LIMIT).HasField("result")
            # Far less than the grace: streams that never end do not hold the server.
            assert served.process.wait(LIMIT / 2) == 0
