"""The floor of gRPC: grpcio's asyncio server on uvloop, echoing bytes. The argument is the port."""

from __future__ import annotations

import sys
from typing import Any

import grpc
import uvloop  # type: ignore[import-not-found, unused-ignore]


async def echo(request: bytes, context: Any) -> bytes:
    """Answer a call with its own bytes."""
    return request


class Echo(grpc.GenericRpcHandler):  # type: ignore[type-arg, unused-ignore]
    """Answers every method."""

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(echo)


async def main(port: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
