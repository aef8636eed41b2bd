"""Scripts start and digests hold in a checkout by a git that writes CRLF, as Git for Windows does."""

from __future__ import annotations

import subprocess

from plugsmith_runtime.tools.check.managed_files import changed_files

from tests.support.rendering import ROOT

from .conftest import Render
from .updating import Checkout

RUNTIME = ROOT / "runtime/plugsmith_runtime"


def test_a_checkout_that_would_have_crlf_has_lf(render: Render) -> None:
    plugin = Checkout(render())
    plugin.git("init", "-q")
    plugin.git("config", "core.autocrlf", "true")
    plugin.commit()
    plugin.git("rm", "-rq", "--cached", ".")
    for path in plugin.git("ls-files", "--others").splitlines():
        (plugin.root / path).unlink()
    plugin.git("reset", "-q", "--hard")
    endings = {line.split("\t")[1]: line.split()[1] for line in plugin.git("ls-files", "--eol").splitlines()}
    assert {"run-server.sh", "deploy/container.sh", "Makefile", ".env.template"} <= endings.keys()
    assert {name for name, ending in endings.items() if ending not in ("w/lf", "w/none")} == set()
    done = subprocess.run(["sh", "deploy/container.sh"], cwd=plugin.root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "usage: container.sh" in done.stderr or "no container engine found" in done.stderr
    assert changed_files(plugin.root / "src/my_plugin/runtime") == changed_files(RUNTIME)
