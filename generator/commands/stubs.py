"""`plugsmith stubs`: compiles .proto files into typed Python modules that work at any place in a package."""

import argparse
import sys
import time
from pathlib import Path

from ..stubs import StubTree, compile_stubs, differences, remove, stale_files, with_package_root, write_tree


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "stubs",
        help="compile .proto files into Python modules",
        description="Compiles .proto files into *_pb2.py and *_pb2_grpc.py with their .pyi, importable at any place in "
        "a package.",
        epilog="Example: plugsmith stubs --proto proto --out src/acme/api",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--proto",
        type=Path,
        action="append",
        metavar="DIR",
        help="folder that the imports are relative to; can be given more than once, as protoc's -I",
    )
    source.add_argument(
        "--descriptor-set",
        type=Path,
        metavar="FILE",
        help="serialized FileDescriptorSet to compile instead of a folder",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="files to compile, with what they import from DIR; all when missing"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder that the modules go to")
    parser.add_argument(
        "--package-root",
        type=Path,
        metavar="DIR",
        help="top folder of the package that --out lies in; folders from there down become packages (default: --out)",
    )
    pool = parser.add_mutually_exclusive_group()
    pool.add_argument(
        "--isolate",
        dest="isolated",
        action="store_true",
        default=True,
        help="register in a descriptor pool of the package's own (default)",
    )
    pool.add_argument(
        "--shared-pool",
        dest="isolated",
        action="store_false",
        help="register in the default pool, and take well-known types from google.protobuf",
    )
    parser.add_argument(
        "--grpc",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write *_pb2_grpc.py for files with services (default: yes)",
    )
    parser.add_argument("--async-only", action="store_true", help="type the gRPC stubs for grpc.aio alone")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; print differences and files left over, and exit 1 if there are any",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compiles, and writes or compares.

    Returns:
        0, or 1 when --check found differences.

    Raises:
        StubsError: the input cannot be compiled or the output not be written.
    """
    began = time.perf_counter()
    tree = compile_stubs(
        args.proto,
        args.files,
        isolated=args.isolated,
        grpc=args.grpc,
        async_only=args.async_only,
        descriptor_set=args.descriptor_set,
        progress=_show if sys.stderr.isatty() else lambda step: None,
    )
    for warning in tree.warnings:
        print(f"plugsmith: {warning}", file=sys.stderr)
    # Only a run that compiles everything knows what is left over.
    stale = [] if args.files else stale_files(tree.files, args.out)
    root, files = with_package_root(tree.files, args.out, args.package_root)
    if args.check:
        return _check(files, root, stale, args.out)
    changed = write_tree(files, root)
    remove(stale, args.out)
    for path in stale:
        print(f"removed {args.out / path}: it is no longer generated from this input")
    seconds = time.perf_counter() - began
    print(
        f"{tree.sources} .proto files, {len(files)} Python files, {seconds:.1f} s: {len(changed)} files changed in "
        f"{args.out}; {_needs(tree)}"
    )
    return 0


def _show(step: str) -> None:
    print(f"plugsmith: {step} ...", file=sys.stderr)


def _check(files: dict[str, str], root: Path, stale: list[str], out: Path) -> int:
    found = differences(files, root)
    sys.stdout.write(found)
    for path in stale:
        print(f"only in {out}: {path} (no longer generated: run without --check to remove it)")
    return 1 if found or stale else 0


def _needs(tree: StubTree) -> str:
    return "they need " + ", ".join(f"{package}>={version}" for package, version in sorted(tree.floors.items()))
