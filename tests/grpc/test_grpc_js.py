"""grpc-js, a client that shares no code with grpcio's: its HTTP/2 is Node's, nghttp2."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import installed, node
from tests.support.probe_server import MAX_BYTES
from tests.support.serving import Served

PACKAGE, VERSION = "@grpc/grpc-js", "1.14.7"
SCRIPT = Path(__file__).parent / "grpc_js_script.js"
LIMIT = 60.0
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 3, 4, 8, 12


def request(pb: Any, behaviour: str, **args: Any) -> str:
    made = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    made.payload.update({"name": behaviour, "args": args})
    data: bytes = made.SerializeToString()
    return data.hex()


@pytest.mark.parametrize("scheme", ["grpc", "grpc+unix"])
def test_what_it_is_told(served: Served, pb: Any, scheme: str) -> None:
    place = served.endpoints[scheme].partition("://")[2]
    job = {
        "target": f"unix:{place}" if scheme == "grpc+unix" else place,
        "call": request(pb, "echo", a="b"),
        "large": request(pb, "large", size=3_000_000),
        "slow": request(pb, "sleep", seconds=1.5),
        "limit": MAX_BYTES,
    }
    modules = installed(PACKAGE, VERSION, "grpc-js") / "node_modules"
    done = subprocess.run(
        [str(node()), str(SCRIPT)], input=json.dumps(job), capture_output=True, text=True, timeout=LIMIT, check=False,
        env=os.environ | {"NODE_PATH": str(modules)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    def reply(data: str) -> Any:
        return pb.InvokeHookResponse.FromString(bytes.fromhex(data)).result["modified_payload"]["args"]

    assert [reply(answer)["a"] for answer in found["answers"]] == ["b"]
    assert len(reply(found["large"]["answer"])["text"]) == 3_000_000
    assert len(pb.GetPluginConfigsResponse.FromString(bytes.fromhex(found["config"]["answer"])).configs) == 2
    codes = {name: found[name]["code"] for name in ("unknown", "malformed", "tooLarge", "late")}
    assert codes == {
        "unknown": UNIMPLEMENTED,
        "malformed": INVALID_ARGUMENT,
        "tooLarge": RESOURCE_EXHAUSTED,
        "late": DEADLINE_EXCEEDED,
    }
    # Too many for the server: whether Node sends them or the server refuses them, the call fails and others go on.
    assert "code" in found["metadata"]
    assert found["watched"] == "0801"
