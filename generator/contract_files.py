"""All files of a checkout that are generated: what they should hold, and how they differ from it.

They come from proto/, but for those that tell of the runtime itself: the digests of its files, and its bill of
materials.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from plugsmith_runtime.tools.check.managed_files import file_digests, render_manifest

from .errors import ContractError
from .hooks import read_hooks, render_choices, render_init, render_models, render_reference
from .runtime_files import MANIFEST, PACKAGED, PACKAGED_MANIFEST, SBOM, render_runtime_manifest, render_sbom

CONTRACT = Path("runtime/plugsmith_runtime/contract")
COPIER, REFERENCE = Path("copier.yml"), Path("docs/hooks.md")
STUBS = ["plugin_service.proto", "plugin_stream.proto"]
_CHOICES = re.compile(
    r"(?P<begin>^(?P<indent> *)# generated from proto/hooks\.proto by nox -s stubs: begin\n)"
    r".*?(?P<end>^ *# generated from proto/hooks\.proto by nox -s stubs: end\n)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Difference:
    """One file that is not what the contract says.

    Attributes:
        path: relative to the checkout.
        old: the text there; None when the file is missing.
        new: the text that belongs there; None when the file is left over.
    """

    path: Path
    old: str | None
    new: str | None

    def __str__(self) -> str:
        old, new = ((text or "").splitlines(keepends=True) for text in (self.old, self.new))
        name = self.path.as_posix()
        return "".join(difflib.unified_diff(old, new, name, f"{name} (generated)"))


def generate(root: Path) -> dict[Path, str]:
    """Returns the text of each generated file by its path within the checkout.

    Args:
        root: the checkout.

    Raises:
        PlugsmithError: the contract is wrong, or copier.yml has no place for the hook choices.
    """
    from .stubs import compile_stubs

    hooks = read_hooks(root / "proto")
    stubs = compile_stubs(root / "proto", STUBS)
    files = {CONTRACT / path: text for path, text in stubs.files.items()}
    files[CONTRACT / "__init__.py"] = render_init(hooks)
    files[CONTRACT / "hooks.py"] = render_models(hooks)
    files[COPIER] = _with_choices((root / COPIER).read_text(encoding="utf-8"), render_choices(hooks))
    files[REFERENCE] = render_reference(hooks)
    files[SBOM] = render_sbom()
    files[PACKAGED_MANIFEST] = render_manifest(file_digests(root / PACKAGED))
    files[MANIFEST] = render_runtime_manifest(root, files, set(_left_over(root, files)))
    return files


def compare(root: Path, files: dict[Path, str]) -> list[Difference]:
    """Returns the files of a checkout that differ from what was generated, and those of contract/ left over."""
    differences = []
    for path, text in sorted(files.items()):
        target = root / path
        old = target.read_bytes().decode("utf-8", errors="replace") if target.is_file() else None
        if old != text:
            differences.append(Difference(path, old, text))
    for path in _left_over(root, files):
        differences.append(Difference(path, (root / path).read_text(encoding="utf-8", errors="replace"), None))
    return differences


def write(root: Path, differences: list[Difference]) -> None:
    """Makes the files what the contract says.

    Raises:
        ContractError: a file cannot be written.
    """
    for difference in differences:
        target = root / difference.path
        try:
            if difference.new is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(difference.new, encoding="utf-8", newline="\n")
        except OSError as error:
            raise ContractError(f"{target}: cannot write ({error.strerror}); make it writable") from error


def _left_over(root: Path, files: dict[Path, str]) -> list[Path]:
    """Returns the files of contract/ that nothing generates."""
    found = (target.relative_to(root) for target in sorted((root / CONTRACT).rglob("*")) if target.is_file())
    return [path for path in found if path not in files and "__pycache__" not in path.parts]


def _with_choices(copier: str, choices: str) -> str:
    found = _CHOICES.search(copier)
    if found is None:
        raise ContractError(
            "copier.yml: no place for the hook choices; put comments around it, "
            "'# generated from proto/hooks.proto by nox -s stubs: begin' and the same with end"
        )
    indent = found["indent"]
    lines = [f"{indent}choices:\n", *(f"{indent}  {line}\n" for line in choices.splitlines())]
    return copier[: found.start()] + found["begin"] + "".join(lines) + found["end"] + copier[found.end() :]
