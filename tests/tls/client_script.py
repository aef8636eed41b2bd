"""A client that knows nothing of the runtime's TLS. Run by the Python of a rendered plugin; answers on standard output.

Arguments: one JSON object with endpoint, package, ca, cert, key, host (the name to connect to), seconds (how long to
go on calling; 0 for one call). Prints one JSON object: calls, identity and error of the last call, failures, and
the serial numbers of the server's certificates that were seen over HTTP.
"""

# mypy: ignore-errors
# It imports what only that interpreter has.

import contextlib
import http.client
import json
import ssl
import sys
import time
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

wanted = json.loads(sys.argv[1])
parts = urlsplit(wanted["endpoint"])
host = wanted.get("host") or parts.hostname
payload = {"name": "who", "args": {}}
serials = set()


def call_http(connection=None):
    fresh = connection is None
    connection = connection or open_http()
    arguments = {"hook_type": "tool_pre_invoke", "plugin_name": "Who", "payload": payload, "context": None}
    message = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "invoke_hook", "arguments": arguments}
    }  # fmt: skip
    headers = {"content-type": "application/json", "accept": "application/json"}
    try:
        connection.request("POST", "/mcp", json.dumps(message), headers)
        if parts.scheme == "https":
            serials.add(ssl_serial(connection.sock))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        if fresh:
            connection.close()
    if answer.status != 200:
        raise OSError(f"status {answer.status}: {body.decode().strip()}")
    reply = json.loads(json.loads(body)["result"]["content"][0]["text"])
    return reply["result"]["modified_payload"]["args"]["identity"]


def open_http():
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=20)
    context = ssl.create_default_context(cafile=wanted["ca"])
    if wanted.get("cert"):
        context.load_cert_chain(wanted["cert"], wanted["key"])
    return http.client.HTTPSConnection(host, parts.port, timeout=20, context=context)


def ssl_serial(sock):
    return sock.getpeercert()["serialNumber"] if sock else ""


def call_grpc(channel=None):
    import grpc

    pb = import_module(f"{wanted['package']}.runtime.contract.plugin_service_pb2")
    request = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Who")
    request.payload.update(payload)
    with contextlib.nullcontext(channel) if channel else open_grpc() as channel:
        call = channel.unary_unary("/cpex.PluginService/InvokeHook")
        try:
            reply = pb.InvokeHookResponse.FromString(call(request.SerializeToString(), timeout=20))
        except grpc.RpcError as error:
            raise OSError(f"{error.code().name}: {error.details()}") from None
    return reply.result["modified_payload"]["args"]["identity"]


def open_grpc():
    import grpc

    target, options = f"{host}:{parts.port}", [("grpc.use_local_subchannel_pool", 1)]
    if parts.scheme == "grpc":
        return grpc.insecure_channel(target, options)
    files = [Path(wanted[name]).read_bytes() if wanted.get(name) else None for name in ("ca", "key", "cert")]
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(*files), options)


call, connect = (call_http, open_http) if parts.scheme.startswith("http") else (call_grpc, open_grpc)
report = {"calls": 0, "failures": [], "identity": None, "error": None}
kept = connect() if wanted.get("seconds") else None
end = time.monotonic() + wanted.get("seconds", 0)
while True:
    for connection in (None, kept) if kept else (None,):  # a new connection, and one that stays open all the time
        report["calls"] += 1
        try:
            report["identity"] = call(connection)
        except (OSError, ssl.SSLError, http.client.HTTPException) as error:
            report["error"] = f"{type(error).__name__}: {error}"
            report["failures"].append(report["error"])
    if time.monotonic() >= end:
        break
print(json.dumps(report | {"serials": sorted(serials)}))
