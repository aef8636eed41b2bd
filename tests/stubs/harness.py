"""Finds the cases, compiles them into packages with foreign names and runs scripts against them."""

import os
import subprocess
import sys
from pathlib import Path

from generator.stubs import compile_stubs, write_tree
from tests.support.environments import environment

CASES = Path(__file__).parent / "cases"
MODES = ("isolated", "shared")
USABLE = sorted(path.parent.name for path in CASES.glob("*/use.py"))
# Cases that the compilers themselves write wrongly, or not at all.
CORRECTED = {
    "carriage_return",
    "edition_2024",
    "foreign_options",
    "keyword_messages",
    "latin1_comments",
    "rpc_comments",
    "self_fields",
}
REFUSED = sorted(path.parent.name for path in CASES.glob("*/refused.txt"))

# The lowest versions that the stubs declare, and what is newest.
_GRPC = ("grpcio", "grpcio-health-checking", "grpcio-reflection")
_RUNTIMES = {
    "lowest": ["protobuf==7.35.1", *(f"{name}==1.82.1" for name in _GRPC), "googleapis-common-protos"],
    "highest": ["protobuf>=7,<8", *_GRPC, "googleapis-common-protos"],
}
RUNTIMES = ("installed", "lowest", "highest", "pure-python")


def protos_of(case: str, scratch: Path) -> Path:
    """Returns the folder of a case's .proto files, made in `scratch` when a script writes them."""
    script = CASES / case / "make.py"
    if not script.exists():
        return CASES / case / "protos"
    folder = scratch / case
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, script, folder], check=True)
    return folder


def scripts(case: str, mode: str) -> list[str]:
    """Returns the names of the scripts that a case has for a mode."""
    return [name for name in ("use", f"use_{mode}") if (CASES / case / f"{name}.py").exists()]


def host_package(package: str, root: Path) -> Path:
    """Makes the foreign package `<root>/<package>/inner` and returns the inner folder."""
    inner = root / package / "inner"
    inner.mkdir(parents=True)
    for file in (root / package / "__init__.py", root / package / "py.typed", inner / "__init__.py"):
        file.touch()
    return inner


def build(case: str, mode: str, root: Path, scratch: Path) -> None:
    """Compiles a case to `<root>/<mode>_<case>/inner/api`, with its scripts beside.

    Args:
        case: the case's name.
        mode: one of MODES.
        root: the folder to put on the import path.
        scratch: where .proto files are made for cases whose files a script writes.
    """
    inner = host_package(f"{mode}_{case}", root)
    write_tree(compile_stubs(protos_of(case, scratch), isolated=mode == "isolated").files, inner / "api")
    for name in scripts(case, mode):
        (inner / f"{name}.py").write_text((CASES / case / f"{name}.py").read_text("utf-8"), "utf-8")


def python_of(runtime: str) -> Path:
    """Returns the interpreter of one of RUNTIMES."""
    requirements = _RUNTIMES.get(runtime)
    return environment(f"stubs-{runtime}", requirements) if requirements else Path(sys.executable)


def run_python(arguments: list[str], root: Path, runtime: str = "installed", python: Path | None = None) -> None:
    """Runs Python in `root`, and fails with its output when it fails. Warnings are errors but in a foreign `python`.

    Args:
        arguments: Python's command line.
        root: the working directory, where packages are imported from.
        runtime: one of RUNTIMES.
        python: an interpreter to run instead of the runtime's, with packages whose warnings are not ours.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PROTOCOL_"))}
    if runtime == "pure-python":
        variables["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
    command = [str(python or python_of(runtime)), "-W", "ignore" if python else "error", *arguments]
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
