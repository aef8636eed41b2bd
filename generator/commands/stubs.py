"""`plugsmith stubs`: compiles .proto files into typed Python modules that work at any place in a package."""

import argparse
import sys
from pathlib import Path

from ..stubs import StubTree, compile_stubs, differences, stale_files, with_package_root, write_tree


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
    source.add_argument("--proto", type=Path, metavar="DIR", help="folder that the imports are relative to")
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
        "--check", action="store_true", help="write nothing; print differences and exit 1 if there are any"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compiles, and writes or compares.

    Returns:
        0, or 1 when --check found differences.

    Raises:
        StubsError: the input cannot be compiled or the output not be written.
    """
    tree = compile_stubs(
        args.proto,
        args.files,
        isolated=args.isolated,
        grpc=args.grpc,
        async_only=args.async_only,
        descriptor_set=args.descriptor_set,
    )
    out, files = with_package_root(tree.files, args.out, args.package_root)
    for warning in tree.warnings:
        print(f"plugsmith: {warning}", file=sys.stderr)
    stale = [] if args.files else stale_files(files, out)
    if args.check:
        return _check(files, out, stale)
    changed = write_tree(files, out)
    for path in stale:
        print(f"plugsmith: {out / path}: no longer generated from this input: delete it", file=sys.stderr)
    print(f"{len(changed)} of {len(files)} files changed in {args.out}; {_needs(tree)}")
    return 0


def _check(files: dict[str, str], out: Path, stale: list[str]) -> int:
    found = differences(files, out)
    sys.stdout.write(found)
    for path in stale:
        print(f"only in {out}: {path} (no longer generated: delete it)")
    return 1 if found or stale else 0


def _needs(tree: StubTree) -> str:
    return "they need " + ", ".join(f"{package}>={version}" for package, version in sorted(tree.floors.items()))
