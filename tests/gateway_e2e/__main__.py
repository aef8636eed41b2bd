"""Runs the real gateways and writes their table in docs/compatibility.md: `python -m tests.gateway_e2e`.

Takes pytest's options; the table is written when they left no case out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .table import Recorder, write


def main() -> int:
    """Run the cases; returns pytest's exit code."""
    recorder = Recorder()
    arguments = [str(Path(__file__).parent), "-m", "gateway_e2e", "--durations=0", *sys.argv[1:]]
    code = pytest.main(arguments, plugins=[recorder])
    if recorder.complete:
        write(recorder.passed)
    else:
        print("docs/compatibility.md keeps its table: not every case was run")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
