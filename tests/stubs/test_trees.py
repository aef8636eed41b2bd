"""Whole trees of other projects: compiled as they are published, and all imported in one process.

On demand (`nox -s stubs_trees`): Google's APIs alone are 7,000 files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.stubs import compile_stubs, write_tree
from tests.support.debian import unpacked
from tests.support.environments import environment
from tests.support.node import installed

pytestmark = pytest.mark.stubs_trees

GO = "usr/share/gocode/src"
IMPORT_ALL = """
import importlib, pathlib
modules = [".".join(path.with_suffix("").parts) for path in sorted(pathlib.Path().rglob("*_pb2*.py"))]
for module in modules:
    importlib.import_module(module)
print(len(modules))
"""


def protos(folder: Path, *, but: Callable[[str], bool] = lambda text: False) -> list[str]:
    """The names of the .proto files below a folder, less those whose text is unwanted."""
    found = sorted(path for path in folder.rglob("*.proto") if not but(path.read_text("utf-8", errors="replace")))
    return [path.relative_to(folder).as_posix() for path in found]


def from_debian(package: str) -> Path:
    files = unpacked(package)
    if files is None:
        pytest.skip("needs Debian's tools")
    return files / GO


def google_apis(scratch: Path) -> tuple[list[Path], list[str]]:
    """Google's APIs, Compute among them; not the copies of protobuf's own files."""
    package = installed("google-proto-files", "6.0.1", "google-proto-files") / "node_modules" / "google-proto-files"
    names = [name for name in protos(package) if name.startswith(("google/", "grafeas/"))]
    return [package], [name for name in names if not name.startswith("google/protobuf/")]


def envoy(scratch: Path) -> tuple[list[Path], list[str]]:
    """Envoy's data-plane API, version 3: four roots. What needs OpenCensus or Prometheus is left out, as they are."""
    deps = installed("@grpc/grpc-js-xds", "1.14.1", "grpc-js-xds") / "node_modules/@grpc/grpc-js-xds/deps"
    # The copy in that package is older than the options that Envoy's files use.
    python = environment("protoc-gen-validate", ["protoc-gen-validate==1.3.3"])
    (scratch / "validate").mkdir()
    shutil.copy(python.parents[1] / "data" / "validate.proto", scratch / "validate")
    lacking = ("opencensus", "config/trace/v3/trace.proto", "v3/bootstrap.proto", "io/prometheus")
    names = protos(deps / "envoy-api", but=lambda text: any(word in text for word in lacking))
    roots = [scratch, deps / "envoy-api", deps / "xds", deps / "googleapis"]
    return roots, [name for name in names if "/v3/" in name or "/v3alpha/" in name]


def etcd(scratch: Path) -> tuple[list[Path], list[str]]:
    """etcd, with gogoproto and Google's annotations from elsewhere."""
    # Left out is a file that imports its sibling by a second name.
    root = from_debian("golang-etcd-server-dev") / "go.etcd.io"
    (scratch / "gogoproto").mkdir()
    gogo = from_debian("golang-github-gogo-protobuf-dev") / "github.com/gogo/protobuf/gogoproto/gogo.proto"
    shutil.copy(gogo, scratch / "gogoproto")
    names = protos(root, but=lambda text: 'import "rpc.proto"' in text or "github.com/gogo" in text)
    return [root, scratch, *google_apis(scratch)[0]], names


def protobuf_tests(scratch: Path) -> tuple[list[Path], list[str]]:
    """The messages that Go's protobuf is tested with: every kind of field, in both syntaxes."""
    root = from_debian("golang-google-protobuf-dev") / "google.golang.org/protobuf"
    kinds = ("test/", "test3/", "testeditions/", "messageset/", "conformance/")
    return [root], [name for name in protos(root) if name.startswith(tuple(f"internal/testprotos/{k}" for k in kinds))]


@pytest.mark.parametrize("trees", [(google_apis,), (envoy, etcd, protobuf_tests)], ids=["google_apis", "others"])
def test_whole_trees_compile_and_import_in_one_process(
    trees: tuple[Callable[[Path], tuple[list[Path], list[str]]], ...], tmp_path: Path
) -> None:
    modules = 0
    for tree in trees:
        scratch = tmp_path / "scratch" / tree.__name__
        scratch.mkdir(parents=True)
        roots, names = tree(scratch)
        stubs = compile_stubs(roots, names)
        modules += sum(path.endswith(".py") and "_pb2" in path for path in stubs.files)
        write_tree(stubs.files, tmp_path / "out" / tree.__name__)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{modules}\n"), done.stderr[-4000:]
