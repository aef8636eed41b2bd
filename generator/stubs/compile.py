"""From .proto files to a tree of Python modules, in memory."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .descriptors import ProtoSet, read_descriptor_set, read_tree, without_json_names
from .errors import StubsError
from .floors import version_floors
from .headers import header
from .isolate import POOL_MODULE, isolate, pool_source
from .modules import check_names, module_of, path_of
from .packages import package_files
from .protoc import run_protoc
from .relocate import relocate
from .toolchain import check_toolchain
from .typed import grpc_type_stubs, type_stubs


@dataclass(frozen=True)
class StubTree:
    """Generated modules.

    Attributes:
        files: text by path, relative to the output folder, with "/" between segments.
        floors: the lowest runtime versions that the modules accept, by package.
        warnings: what protoc warned of.
    """

    files: dict[str, str]
    floors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def compile_stubs(
    proto: Path | None,
    files: list[str] | None = None,
    *,
    isolated: bool = True,
    grpc: bool = True,
    async_only: bool = False,
    descriptor_set: Path | None = None,
) -> StubTree:
    """Compiles .proto files into modules that work at any place in a package.

    Args:
        proto: folder that imports are relative to; files that it lacks come from installed packages.
        files: the files to compile, with what they import from the folder; all of it when empty.
        isolated: register in a private descriptor pool, with private copies of all foreign files that are imported.
        grpc: write *_pb2_grpc modules for the files that have services.
        async_only: type the gRPC stubs for grpc.aio alone.
        descriptor_set: a serialized FileDescriptorSet to read instead of `proto`.

    Raises:
        StubsError: the input cannot be compiled, or gives modules that could not be imported.
    """
    check_toolchain()
    if (proto is None) == (descriptor_set is None):
        raise StubsError("no input: give either --proto or --descriptor-set")
    source = read_tree(proto, files or []) if proto else read_descriptor_set(Path(str(descriptor_set)), files or [])
    check_names([*source.own, *source.foreign])
    if not source.own:
        raise StubsError("nothing to compile: the files given are all of installed packages")
    tree = _modules(source, isolated=isolated, grpc=grpc, async_only=async_only)
    tree.update(package_files(tree))
    if isolated:
        tree[f"{POOL_MODULE}.py"] = header(None) + pool_source()
    return StubTree(dict(sorted(tree.items())), version_floors(tree.values()), source.warnings)


def _modules(source: ProtoSet, *, isolated: bool, grpc: bool, async_only: bool) -> dict[str, str]:
    # A private pool cannot refer to files of the default one, so foreign files are compiled as well.
    messages = [*source.own, *source.foreign] if isolated else source.own
    own = set(source.own)
    services = [file.name for file in source.descriptors.file if grpc and file.service and file.name in own]
    texts = _python(source, messages, services)
    typed = type_stubs(source.descriptors, messages)
    typed.update(grpc_type_stubs(source.descriptors, services, async_only=async_only))

    compiled = {module_of(name) for name in messages}
    tree: dict[str, str] = {}
    for name in messages:
        module = module_of(name)
        for suffix in (".py", ".pyi", "_grpc.py", "_grpc.pyi"):
            path = path_of(module, suffix)
            text = texts.get(path) or typed.get(path)
            if text is None:
                continue
            text = _relocated(text, name, module, compiled)
            if isolated and suffix == ".py":
                text = isolate(text, module)
            tree[path] = header(name, typed=suffix.endswith("i")) + text
    return tree


def _relocated(text: str, name: str, module: str, compiled: set[str]) -> str:
    try:
        return relocate(text, module, compiled)
    except SyntaxError as error:
        # Known: a message named like a keyword that has enums of its own.
        line = (error.text or "").strip()
        raise StubsError(
            f"{name}: mypy-protobuf cannot type it: it writes `{line}`: rename what is called so"
        ) from error


def _python(source: ProtoSet, messages: list[str], services: list[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder, "set")
        descriptors.write_bytes(without_json_names(source.descriptors).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        run_protoc([f"--descriptor_set_in={descriptors}", f"--python_out={out}", *messages])
        if services:
            run_protoc([f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}", *services])
        return {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.py")}
