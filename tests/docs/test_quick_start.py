"""The first author's path: from README's first command to a changed plugin that is called over gRPC with mutual TLS."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.rendering import ROOT

from .conftest import Begin
from .steps import read_steps

MOST = 6
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
PATHS = [text for text in BLOCKS if re.search(r"^make .*call TRANSPORT=grpc TLS=1", text, re.MULTILINE)]


def block() -> str:
    """The block of README whose last command calls the plugin with TLS."""
    (found,) = PATHS
    return str(found)


def test_it_takes_six_commands() -> None:
    commands = block().strip().splitlines()
    assert len(commands) <= MOST
    # Each is one command, and none is hidden in another.
    assert not [command for command in commands if re.search(r"&&|\|\||;|\\$", command)]


def test_exactly_these_commands_lead_there(clone: Path, tmp_path: Path, begin: Begin) -> None:
    reader = begin(Path(shutil.copytree(clone, tmp_path / "plugsmith", symlinks=True)))
    for step in read_steps(f"```sh\n{block()}```\n"):
        reader.follow(step)
    assert "[hidden]" in (tmp_path / "my-plugin/src/my_plugin/plugin.py").read_text()
    assert '"query": "call [hidden] now"' in reader.printed
