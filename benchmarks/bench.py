"""What every measurement needs: the rendered plugin, the peer, the inputs, and a folder for sockets."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.rendering import RenderedPlugin, rendered_plugin

from . import subjects
from .inputs import Input, make_inputs
from .peer import Peer, make_peer
from .process import site_packages
from .subjects import Subject

NAME = "BenchGuard"


@dataclass(frozen=True)
class Bench:
    """The things that are held against each other.

    Attributes:
        plugin: the rendered plugin, with its default answers and the extra grpc.
        peer: cpex with the same plugin.
        inputs: the calls, by their sizes.
        folder: a short path for sockets, gone at the end.
    """

    plugin: RenderedPlugin
    peer: Peer
    inputs: dict[str, Input]
    folder: Path

    def subject(self, name: str, transport: str) -> Subject:
        """A subject at an address of its own."""
        address = subjects.new_address(transport, self.folder, name)
        if name == subjects.OURS:
            return subjects.ours(self.plugin, {transport: address})[0]
        if name == subjects.PEER:
            return subjects.peer(self.peer, transport, address)
        return subjects.floor(self.plugin, transport, address)

    def workers(self, transport: str, count: str) -> Subject:
        """Our server with a number of workers, at an address of its own."""
        address = subjects.new_address(transport, self.folder, f"workers-{count}")
        return subjects.ours(self.plugin, {transport: address}, count)[0]

    def ours_at_once(self) -> list[Subject]:
        """Our server of all transports in one process, as a subject for each of them; start any."""
        addresses = {name: subjects.new_address(name, self.folder, "all") for name in subjects.TRANSPORTS}
        return subjects.ours(self.plugin, addresses)


@contextmanager
def prepared() -> Iterator[Bench]:
    """Render the plugin and make the environments (the first time these come from a package index)."""
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder = Path(name)
        plugin = rendered_plugin(folder / "ours", "grpc", plugin_name="Bench Guard")
        peer = make_peer(folder / "peer", plugin)
        _compile(plugin.python, plugin.root)
        _compile(peer.python, peer.folder)
        yield Bench(plugin, peer, make_inputs(plugin, NAME), folder)


def _compile(python: Path, folder: Path) -> None:
    """Write the byte code of an environment and a folder, as pip does; who was not run before starts the slower."""
    # Exits with 1 for files of other Pythons, which packages carry among their tests.
    command = [str(python), "-m", "compileall", "-q", "-j0", str(site_packages(python)), str(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
