"""Other versions of the same .proto files in one process."""

from pathlib import Path

import pytest

from generator.stubs import compile_stubs, write_tree
from tests.stubs.harness import CASES, host_package, run_python
from tests.support.environments import environment

_ROOT = Path(__file__).parents[2]
_CONTRACT = _ROOT / "runtime" / "plugsmith_runtime" / "contract"

_TWO = """
from first.inner.api import thing_pb2 as one
from second.inner.api import thing_pb2 as two
assert one.Thing(name="text", size=1).SerializeToString()
whole = two.Thing(name=b"bytes", parts=[two.Thing()])
whole.size["k"] = 1
assert two.Thing.FromString(whole.SerializeToString()) == whole
assert not hasattr(one, "Extra") and two.Extra(thing=whole).thing.size["k"] == 1
assert one.Thing.DESCRIPTOR.full_name == two.Thing.DESCRIPTOR.full_name
"""

_CPEX = """
import pickle
{imports}
ours = mine.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="p")
ours.payload.update({{"args": {{"a": [1, None, "x"]}}}})
ours.context.global_context.user_string = "u"
theirs = peer.InvokeHookRequest.FromString(ours.SerializeToString())
assert theirs.payload["args"]["a"][2] == "x" and theirs.context.global_context.user_string == "u"
assert mine.InvokeHookRequest.FromString(theirs.SerializeToString()) == ours
assert pickle.loads(pickle.dumps(ours)) == ours
assert mine_grpc.PluginServiceStub is not peer_grpc.PluginServiceStub
from google.protobuf import descriptor_pool
assert descriptor_pool.Default().FindFileByName("plugin_service.proto") is peer.DESCRIPTOR
"""
_REFLECTION = """
import grpc, os, tempfile
from concurrent.futures import ThreadPoolExecutor
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from host.inner.contract import plugin_service_pb2 as mine, plugin_service_pb2_grpc as mine_grpc
from host.inner.contract._pool import POOL
server = grpc.server(ThreadPoolExecutor(1))
mine_grpc.add_PluginServiceServicer_to_server(mine_grpc.PluginServiceServicer(), server)
reflection.enable_server_reflection(["cpex.PluginService"], server, pool=POOL)
address = "unix:" + os.path.join(tempfile.mkdtemp(), "s")
server.add_insecure_port(address)
server.start()
with grpc.insecure_channel(address) as channel:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert list(database.get_services()) == ["cpex.PluginService"]
    file = database.FindFileContainingSymbol("cpex.PluginService")
    assert file.SerializeToString() == mine.DESCRIPTOR.serialized_pb
    assert database.FindFileByName("google/protobuf/struct.proto").package == "google.protobuf"
server.stop(None).wait()
"""
_OURS = "from host.inner.contract import plugin_service_pb2 as mine, plugin_service_pb2_grpc as mine_grpc"
_THEIRS = (
    "from cpex.framework.external.grpc.proto import plugin_service_pb2 as peer, plugin_service_pb2_grpc as peer_grpc"
)


@pytest.mark.parametrize("runtime", ["installed", "highest", "pure-python"])
def test_two_schemas(tmp_path: Path, runtime: str) -> None:
    for name in ("first", "second"):
        inner = host_package(name, tmp_path)
        write_tree(compile_stubs(CASES / "two_schemas" / name).files, inner / "api")
    run_python(["-c", _TWO], tmp_path, runtime)


@pytest.mark.parametrize("lines", [(_OURS, _THEIRS), (_THEIRS, _OURS)], ids=["ours first", "cpex first"])
def test_with_cpex(tmp_path: Path, lines: tuple[str, str]) -> None:
    inner = host_package("host", tmp_path)
    (inner / "contract").symlink_to(_CONTRACT)
    python = environment("cpex", ["cpex[grpc]==0.1.4"])
    run_python(["-c", _CPEX.format(imports="\n".join(lines))], tmp_path, python=python)


@pytest.mark.parametrize("runtime", ["lowest", "highest"])
def test_reflection(tmp_path: Path, runtime: str) -> None:
    (host_package("host", tmp_path) / "contract").symlink_to(_CONTRACT)
    run_python(["-c", _REFLECTION], tmp_path, runtime)
