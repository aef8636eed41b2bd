"""Run in an environment with grpcio-health-checking: asks a server by the standard's own stub.

Arguments: the target, "check" or "watch", names. `check` prints the state of each name as one JSON map; `watch` prints
a line "name state" whenever one of the states changes, until the server ends the watches.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

LIMIT = 60.0
PRINTING = threading.Lock()


def say(line: str) -> None:
    with PRINTING:
        print(line, flush=True)


def state(response: health_pb2.HealthCheckResponse) -> str:
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


def check(stub: Any, name: str) -> str:
    try:
        return state(stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=LIMIT))
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"


def watch(stub: Any, name: str) -> None:
    for response in stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=LIMIT):
        say(f"{name} {state(response)}")
    say(f"{name} ended")


def main(target: str, what: str, *names: str) -> None:
    with grpc.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        if what == "check":
            print(json.dumps({name: check(stub, name) for name in names}))
            return
        threads = [threading.Thread(target=watch, args=(stub, name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
