"""The tools that docs/stubs.md compares, each as a command that fills a folder."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from generator.stubs.installed import compiled_descriptors
from tests.support.environments import environment

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Tool:
    """A way to get Python modules from .proto files.

    Attributes:
        label: its name in the table.
        mode: which of a case's scripts fit what it makes.
        run: takes the .proto folder and an empty output folder; raises CalledProcessError when the tool fails.
    """

    label: str
    mode: str
    run: Callable[[Path, Path], None]

    def seconds(self, protos: Path, out: Path) -> float:
        """Runs the tool and returns how long it took."""
        started = time.perf_counter()
        self.run(protos, out)
        return time.perf_counter() - started


def _call(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], cwd=_ROOT, check=True, capture_output=True, text=True, timeout=120)


def plain_protoc(protos: Path, out: Path, *extra: str) -> None:
    """Runs protoc with its plugins for Python, gRPC and mypy on all files of a folder."""
    names = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    scripts = Path(sys.executable).parent
    spec = find_spec("grpc_tools")
    assert spec is not None and spec.origin is not None
    paths = [protos, Path(spec.origin).parent / "_proto", *(p for p in sys.path if p.endswith("-packages"))]
    _call(
        *(sys.executable, "-m", "grpc_tools.protoc"),
        *(f"-I{path}" for path in paths),
        *(f"--plugin=protoc-gen-{kind}={scripts / f'protoc-gen-{kind}'}" for kind in ("mypy", "mypy_grpc")),
        *(f"--{kind}_out={out}" for kind in ("python", "grpc_python")),
        *(f"--{kind}_out=quiet:{out}" for kind in ("mypy", "mypy_grpc")),
        *extra,
        *names,
    )


def reference(protos: Path, out: Path) -> None:
    """Runs plain protoc with descriptors of the packages that ship no .proto files, which it cannot find itself."""
    installed = out.with_name(f"{out.name}.bin")
    installed.write_bytes(compiled_descriptors(protos.rglob("*.proto")).SerializeToString())
    plain_protoc(protos, out, f"--descriptor_set_in={installed}")


def protoletariat(protos: Path, out: Path) -> None:
    """Runs protoc, then protoletariat's fixer on what it wrote, in an environment of its own."""
    descriptors = out.with_name("descriptors.bin")
    plain_protoc(protos, out, f"--descriptor_set_out={descriptors}", "--include_imports")
    python = environment("protoletariat", ["protoletariat==3.3.10", "protobuf<6"])
    # Without the exclusion it makes imports of installed packages relative, too.
    installed = [f"--exclude-imports-glob=google/{name}/*" for name in ("api", "rpc", "type")]
    options = ["--create-package", "--in-place", *installed, f"--python-out={out}"]
    _call(python.with_name("protol"), *options, "raw", descriptors)


def plugsmith(*options: str) -> Callable[[Path, Path], None]:
    """Returns a runner of `plugsmith stubs` with more options."""

    def run(protos: Path, out: Path) -> None:
        _call(sys.executable, "-m", "generator", "stubs", "--proto", protos, "--out", out, *options)

    return run


TOOLS = (
    Tool("protoc", "shared", plain_protoc),
    Tool("protoletariat", "shared", protoletariat),
    Tool("plugsmith", "isolated", plugsmith()),
    Tool("plugsmith --shared-pool", "shared", plugsmith("--shared-pool")),
)
