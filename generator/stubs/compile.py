"""From .proto files to a tree of Python modules, in memory."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError

from .comments import docstrings, shield
from .descriptors import ProtoSet, read_descriptor_set, read_tree, without_json_names
from .errors import StubsError
from .floors import version_floors
from .headers import header
from .isolate import isolate, pool_source
from .keywords import unwritable_services, with_keywords_escaped, with_own_self
from .modules import POOL_MODULE, SUFFIXES, check_names, module_of, path_of
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
        sources: how many .proto files were compiled.
    """

    files: dict[str, str]
    floors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    sources: int = 0


def compile_stubs(
    proto: Path | Sequence[Path] | None,
    files: list[str] | None = None,
    *,
    isolated: bool = True,
    grpc: bool = True,
    async_only: bool = False,
    descriptor_set: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> StubTree:
    """Compiles .proto files into modules that work at any place in a package.

    Args:
        proto: the folder that imports are relative to, or several; files that they lack come from installed packages.
        files: the files to compile, with what they import from the folder; all of them when empty.
        isolated: register in a private descriptor pool, with private copies of all foreign files that are imported.
        grpc: write *_pb2_grpc modules for the files that have services.
        async_only: type the gRPC stubs for grpc.aio alone.
        descriptor_set: a serialized FileDescriptorSet to read instead of `proto`.
        progress: told, in a few words, which step begins.

    Raises:
        StubsError: the input cannot be compiled, or gives modules that could not be imported.
    """
    check_toolchain()
    roots = [proto] if isinstance(proto, Path) else list(proto or [])
    if bool(roots) == bool(descriptor_set):
        raise StubsError("no input: give either --proto or --descriptor-set")
    progress("parsing")
    source = read_descriptor_set(descriptor_set, files or []) if descriptor_set else read_tree(roots, files or [])
    check_names([*source.own, *source.foreign], isolated=isolated)
    if not source.own:
        raise StubsError("nothing to compile: the files given are all of installed packages")
    progress(f"compiling {len(source.own)} files")
    tree = _modules(source, isolated=isolated, grpc=grpc, async_only=async_only)
    tree.update(package_files(tree))
    if isolated:
        tree[f"{POOL_MODULE}.py"] = header(None) + pool_source()
    return StubTree(dict(sorted(tree.items())), version_floors(tree.values()), source.warnings, len(source.own))


def _modules(source: ProtoSet, *, isolated: bool, grpc: bool, async_only: bool) -> dict[str, str]:
    # A private pool cannot refer to files of the default one, so foreign files are compiled as well.
    messages = [*source.own, *source.foreign] if isolated else source.own
    own = set(source.own)
    services = [file.name for file in source.descriptors.file if grpc and file.service and file.name in own]
    unwritable = [
        line for file in source.descriptors.file if file.name in services for line in unwritable_services(file)
    ]
    if unwritable:
        raise StubsError(*unwritable)
    texts = _python(source, messages, services)
    typed = type_stubs(source.descriptors, messages)
    typed.update(grpc_type_stubs(source.descriptors, services, async_only=async_only))

    compiled = {module_of(name) for name in messages}
    tree: dict[str, str] = {}
    for name in messages:
        module = module_of(name)
        for suffix in SUFFIXES:
            path = path_of(module, suffix)
            text = texts.get(path) or typed.get(path)
            if text is None:
                continue
            text = _relocated(text, name, module, compiled, typed=suffix.endswith("i"))
            if isolated and suffix == ".py":
                text = isolate(text, module)
            tree[path] = header(name, typed=suffix.endswith("i")) + text
    return tree


def _relocated(text: str, name: str, module: str, compiled: set[str], *, typed: bool) -> str:
    if typed:
        text = with_own_self(text)
    try:
        return relocate(text, module, compiled)
    except SyntaxError as error:
        failure = error
    try:
        return relocate(with_keywords_escaped(text), module, compiled)
    except (SyntaxError, TokenError):
        tool, line = "mypy-protobuf" if typed else "protoc", (failure.text or "").strip()
        raise StubsError(f"{name}: {tool} writes `{line}`, which is no Python: rename what is called so") from failure


def _python(source: ProtoSet, messages: list[str], services: list[str]) -> dict[str, str]:
    descriptors = without_json_names(source.descriptors)
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder, "set"), Path(folder, "out")
        out.mkdir()
        given.write_bytes(descriptors.SerializeToString())
        run_protoc([f"--descriptor_set_in={given}", f"--python_out={out}", *messages])
        if services:
            texts = {file.name: shield(file) for file in descriptors.file if file.name in services}
            given.write_bytes(descriptors.SerializeToString())
            run_protoc([f"--descriptor_set_in={given}", f"--grpc_python_out={out}", *services])
            for name in services:
                module = out / path_of(module_of(name), "_grpc.py")
                module.write_text(docstrings(module.read_text("utf-8"), texts[name]), "utf-8")
        return {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.py")}
