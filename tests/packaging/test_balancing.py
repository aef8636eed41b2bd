"""What docs/kubernetes.md says of several pods behind one name: who gets the calls, and what happens when one goes.

A headless Service resolves to the pods' addresses; here, a target with two addresses stands for such a name.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

SCRIPT = Path(__file__).with_name("balancing_script.py")
CALLS = 40


def pod(plugin: RenderedPlugin, folder: Path, version: str) -> Path:
    """A configuration that tells the pods apart."""
    path = folder / f"{version}.yaml"
    text = (plugin.root / "resources/plugins/config.yaml").read_text()
    path.write_text(text.replace('version: "0.1.0"', f'version: "{version}"'))
    return path


def call(alive: int, *pods: Served) -> dict[str, dict[str, int]]:
    """Call the pods as if they stood behind one name; who answered how often, by the way of calling."""
    target = "ipv4:" + ",".join(served.endpoints["grpc"].removeprefix("grpc://") for served in pods)
    python = environment("cpex", ["cpex[grpc]==0.1.4"])
    done = subprocess.run([python, SCRIPT, target, str(alive)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


def test_cpex_stays_with_one_pod_and_round_robin_uses_all(plugin: RenderedPlugin, tmp_path: Path) -> None:
    with serve(plugin, "grpc", "--config", str(pod(plugin, tmp_path, "1.0.0"))) as first:
        with serve(plugin, "grpc", "--config", str(pod(plugin, tmp_path, "2.0.0"))) as second:
            seen = call(2, first, second)
            assert seen["cpex"] == {"1.0.0": CALLS}
            assert seen["round_robin"] == {"1.0.0": CALLS // 2, "2.0.0": CALLS // 2}
        # The second pod is gone, its address still stands behind the name.
        assert call(1, second, first) == {"cpex": {"1.0.0": CALLS}, "round_robin": {"1.0.0": CALLS}}
