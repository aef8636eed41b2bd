"""Run in an environment with cpex: asks a server by the peers' own Health. Arguments: the target, names."""

# mypy: ignore-errors
# It imports what only that interpreter has.

from __future__ import annotations

import json
import sys

import grpc
from cpex.framework.external.grpc.proto import plugin_service_pb2 as pb
from cpex.framework.external.grpc.proto.plugin_service_pb2_grpc import HealthStub

LIMIT = 60.0


def main(target: str, *names: str) -> None:
    found = {}
    with grpc.insecure_channel(target) as channel:
        # Gateway 1.0.0 has the same messages under another package.
        old = channel.unary_unary(
            "/mcpgateway.plugins.Health/Check",
            pb.HealthCheckRequest.SerializeToString,
            pb.HealthCheckResponse.FromString,
        )
        for package, check in (("cpex", HealthStub(channel).Check), ("mcpgateway.plugins", old)):
            states = {}
            for name in names:
                reply = check(pb.HealthCheckRequest(service=name), timeout=LIMIT)
                states[name] = pb.HealthCheckResponse.ServingStatus.Name(reply.status)
            found[package] = states
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
