"""Writes the table of docs/stubs.md: `python -m tests.stubs.compare`.

Each case is compiled by each tool into a package with a foreign name, then imported and used, type-checked, searched
for lost comments, and imported again in a process whose default pool knows other files of the same names.
"""

import json
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.stubs.harness import CASES, CORRECTED, REFUSED, USABLE, host_package, protos_of, scripts
from tests.stubs.tools import TOOLS, Tool, reference

_DOCUMENT = Path(__file__).parents[2] / "docs" / "stubs.md"
_TABLE = re.compile(r"(?<=<!-- table: begin -->\n).*(?=<!-- table: end -->)", re.DOTALL)
_HEAD = (
    "| case | tool | imports | type-checks (errors) | comments kept | no pool conflict | seconds |\n| --- "
    + "| --- " * 6
    + "|\n"
)

_CONFLICT = """
import importlib, json, sys
from google.protobuf import descriptor_pb2, descriptor_pool
for name in json.loads(sys.argv[2]):
    file = descriptor_pb2.FileDescriptorProto(name=name, package="somebody.elses")
    file.message_type.add(name="M" + name.replace("/", "_").replace(".", "_").replace("-", "_"))
    descriptor_pool.Default().Add(file)
importlib.import_module(sys.argv[1])
"""


def _prepare(tool: Tool, case: str, root: Path, scratch: Path) -> float | None:
    """Compiles a case; returns the seconds that it took, None when the tool refused."""
    package = _package(tool, case)
    inner = host_package(package, root)
    out = inner / "api"
    out.mkdir()
    try:
        seconds = tool.seconds(protos_of(case, scratch), out)
    except subprocess.CalledProcessError:
        return None
    out.with_name("descriptors.bin").unlink(missing_ok=True)
    for name in scripts(case, tool.mode):
        (inner / f"{name}.py").write_text((CASES / case / f"{name}.py").read_text("utf-8"), "utf-8")
    return seconds


def _package(tool: Tool, case: str) -> str:
    return f"t{TOOLS.index(tool)}_{case}"


def _runs(root: Path, *arguments: str) -> bool:
    done = subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, timeout=120)
    return done.returncode == 0


def _type_errors(root: Path) -> Counter[str]:
    """Returns how many errors mypy finds in each package."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(root.parent)]
    # One run for each package: a syntax error in one would hide the errors of all others.
    errors: Counter[str] = Counter()
    for package in sorted(path.name for path in root.iterdir()):
        done = subprocess.run([*command, package], cwd=root, capture_output=True, text=True, timeout=300)
        errors[package] = len(re.findall(r": error:", done.stdout)) or int(done.returncode > 0)
    return errors


def _comments(files: Iterable[Path]) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in files:
        with tokenize.open(path) as file:
            tokens = tokenize.generate_tokens(file.readline)
            found.update(token.string for token in tokens if token.type == tokenize.COMMENT)
    return found


def _lost_comments(made: Path, plain: Path) -> int:
    # plugsmith writes no *_pb2_grpc modules for files without services: there is nothing to keep.
    paths = [path.relative_to(plain) for path in plain.rglob("*.py*") if (made / path.relative_to(plain)).exists()]
    return sum((_comments(plain / path for path in paths) - _comments(made / path for path in paths)).values())


def _row(tool: Tool, case: str, root: Path, scratch: Path, seconds: float | None, errors: int) -> str:
    package = _package(tool, case)
    if seconds is None:
        return f"| {case} | {tool.label} | no: the tool fails | | | | |"
    used = all(_runs(root, "-m", f"{package}.inner.{name}") for name in scripts(case, tool.mode))
    plain = scratch / f"plain_{case}"
    # What protoc writes wrongly is no measure for the others: there the case's own script looks at the comments.
    if case not in CORRECTED and not plain.exists():
        plain.mkdir(parents=True)
        reference(protos_of(case, scratch), plain)
    lost = _lost_comments(root / package / "inner" / "api", plain)
    protos = protos_of(case, scratch)
    names = json.dumps([path.relative_to(protos).as_posix() for path in protos.rglob("*.proto")])
    if tool.label.endswith("--shared-pool"):
        pool = "shared, as asked"
    else:
        pool = "yes" if _runs(root, "-c", _CONFLICT, f"{package}.inner.use", names) else "no"
    cells = [
        "yes" if used else "no",
        "yes" if errors == 0 else f"no: {errors}",
        "yes" if lost == 0 else f"no: {lost} lost",
        pool,
        f"{seconds:.2f}",
    ]
    return f"| {case} | {tool.label} | {' | '.join(cells)} |"


def _refused_row(tool: Tool, case: str, seconds: float | None) -> str:
    if seconds is None:
        return f"| {case} | {tool.label} | refused, as it must be | | | | |"
    return f"| {case} | {tool.label} | no: written, cannot be imported | | | | {seconds:.2f} |"


def table() -> str:
    """Compiles all cases with all tools and returns the table."""
    with tempfile.TemporaryDirectory() as folder:
        root, scratch = Path(folder, "packages"), Path(folder, "scratch")
        root.mkdir()
        # Once without counting, so that no tool pays for cold files and for the environment.
        for tool in TOOLS:
            _prepare(tool, "root_level", Path(folder, "warm"), scratch)
        seconds = {(tool, case): _prepare(tool, case, root, scratch) for case in USABLE for tool in TOOLS}
        errors = _type_errors(root)
        rows = [
            _row(tool, case, root, scratch, seconds[tool, case], errors[_package(tool, case)])
            for case in USABLE
            for tool in TOOLS
        ]
        refused = Path(folder, "refused")
        rows += [_refused_row(tool, case, _prepare(tool, case, refused, scratch)) for case in REFUSED for tool in TOOLS]
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    text = _DOCUMENT.read_text("utf-8")
    _DOCUMENT.write_text(_TABLE.sub(lambda _: table(), text), "utf-8")
