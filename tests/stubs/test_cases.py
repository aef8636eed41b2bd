"""Each case is imported and used under a foreign parent package, and type-checked."""

import subprocess
import sys
from pathlib import Path

import pytest

from generator.stubs import StubsError, compile_stubs
from tests.stubs.harness import CASES, MODES, REFUSED, RUNTIMES, USABLE, protos_of, run_python, scripts

# The pure Python runtime compares messages that hold an Any by looking their type up in the default pool.
_NOT_PURE = {("isolated", "well_known")}


@pytest.mark.parametrize("case", USABLE)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_runs(packages: Path, runtime: str, mode: str, case: str) -> None:
    if runtime == "pure-python" and (mode, case) in _NOT_PURE:
        pytest.skip("documented in docs/stubs.md")
    for name in scripts(case, mode):
        run_python(["-m", f"{mode}_{case}.inner.{name}"], packages, runtime)


def test_types(packages: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "."]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_isolated_packages_share_a_process(packages: Path) -> None:
    imports = "; ".join(f"import isolated_{case}.inner.use" for case in USABLE)
    run_python(["-c", imports], packages)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    with pytest.raises(StubsError) as caught:
        compile_stubs(protos_of(case, tmp_path))
    assert str(caught.value) + "\n" == (CASES / case / "refused.txt").read_text("utf-8")
