"""A subject's process: started, watched through /proc, ended; and what its interpreter has installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .subjects import Subject

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(subject: Subject) -> Iterator[subprocess.Popen[bytes]]:
    """Run a subject; its standard streams are pipes with stdio, otherwise closed. Ended on the way out."""
    talks = subject.transport == "stdio"
    process = subprocess.Popen(
        subject.command, cwd=subject.folder, env=subject.whole_environ, stderr=subprocess.DEVNULL,
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE if talks else subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        # Nothing is worth saving, and a graceful stop takes seconds.
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, all its threads included, the ended ones too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process, in MB of 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has ended")


def site_packages(python: Path) -> Path:
    """The folder of an interpreter's packages."""
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())
