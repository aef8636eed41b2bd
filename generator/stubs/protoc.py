"""Runs the protoc that grpcio-tools bundles, in this process."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files

from .errors import StubsError


def well_known_protos() -> str:
    """Returns the folder that holds google/protobuf/*.proto."""
    return str(files("grpc_tools") / "_proto")


def run_protoc(arguments: Sequence[str], spoken: Mapping[str, str] | None = None) -> list[str]:
    """Runs protoc.

    Args:
        arguments: protoc's command line without the program's name.
        spoken: what to say in its messages instead of paths of our own, by the beginning of such a path.

    Returns:
        The warnings that protoc printed, one a line.

    Raises:
        StubsError: protoc failed; the lines are protoc's own.
    """
    from grpc_tools import protoc  # type: ignore[import-untyped]

    # protoc is C++ code and prints to the file descriptor, past sys.stderr.
    with tempfile.TemporaryFile() as captured:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            code = protoc.main(["protoc", *arguments])
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        captured.seek(0)
        lines = [line for line in captured.read().decode(errors="replace").splitlines() if line.strip()]
    for path, name in (spoken or {}).items():
        lines = [line.replace(path, name) for line in lines]
    if code != 0:
        raise StubsError(*(lines or [f"protoc failed with exit code {code} and said nothing"]))
    return lines
