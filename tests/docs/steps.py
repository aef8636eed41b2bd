"""What a tutorial does: its fenced blocks, read as steps.

A comment on the line before a block says what it is: `file: PATH` for the content of a file, `background` for commands
that go on running, `prints` for lines that the commands before must have printed, `skip: REASON` for what is not run.
Blocks of sh without such a comment are run to their end, but for commands that a `&` sends to the background; other
blocks are for the reader.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
LIMIT = 300.0


@dataclass(frozen=True)
class Step:
    """One block.

    Attributes:
        kind: "file", "background", "prints", "skip" or "run".
        argument: what the comment says about it, a file's path for example.
        text: the block.
    """

    kind: str
    argument: str
    text: str


def read_steps(text: str) -> list[Step]:
    """Read the steps of a tutorial."""
    steps = []
    for found in _BLOCK.finditer(text):
        if found["mark"]:
            kind, _, argument = found["mark"].partition(": ")
            assert kind in ("file", "background", "prints", "skip"), f"a comment that nobody reads: {found['mark']}"
            steps.append(Step(kind, argument, found["text"]))
        elif found["language"] == "sh":
            steps += _commands(found["text"])
    return steps


def _commands(text: str) -> Iterator[Step]:
    """Take those commands out of a block that go on in the background."""
    for part in re.split(r"^(.* &)\n", text, flags=re.MULTILINE):
        if part.endswith(" &"):
            yield Step("background", "", part.removesuffix(" &"))
        elif part:
            yield Step("run", "", part)


class Reader:
    """Somebody who does what a tutorial says.

    Args:
        cwd: the folder that they start in.
        environ: their environment.

    Attributes:
        printed: what the last commands printed.
    """

    def __init__(self, cwd: Path, environ: dict[str, str]) -> None:
        self._cwd = cwd
        # Beside the folder, whose content belongs to the reader.
        self._log = cwd.parent / f"{cwd.name}.log"
        self.environ = environ
        self.printed = ""
        self._running: list[subprocess.Popen[bytes]] = []

    def follow(self, step: Step) -> None:
        """Do one step; fails when it does not work out as the tutorial says."""
        if step.kind == "file":
            path = self._cwd / step.argument
            assert path.parent.is_dir(), f"{step.argument}: no such folder"
            path.write_text(step.text)
        elif step.kind == "run":
            self._run(step.text)
        elif step.kind == "background":
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    ["bash", "-euc", step.text],
                    cwd=self._cwd, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            self._running.append(process)
        elif step.kind == "prints":
            for line in filter(None, map(str.strip, step.text.splitlines())):
                assert line in self.printed, f"not printed: {line}\nbut:\n{self.printed}"

    def leave(self) -> None:
        """End what still runs."""
        while self._running:
            process = self._running.pop()
            # make does not pass signals on: the whole session gets it, as from a terminal.
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _run(self, text: str) -> None:
        """Run commands, and go where they went."""
        mark = "--- the folder: "
        done = subprocess.run(
            ["bash", "-euc", f'{text}\necho "{mark}$PWD"'],
            cwd=self._cwd, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
        behind = self._log.read_text(errors="replace") if self._log.exists() else ""
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{behind}"
        self.printed, _, folder = done.stdout.rpartition(mark)
        self._cwd = Path(folder.strip())
