"""What the runtime carries about itself, generated: a bill of materials (CycloneDX) and the digests of its files."""

import hashlib
import json
from pathlib import Path

from plugsmith_runtime.tools.check.managed_files import MANIFEST as MANIFEST_NAME
from plugsmith_runtime.tools.check.managed_files import file_digests, render_manifest

from . import __version__

RUNTIME = Path("runtime/plugsmith_runtime")
MANIFEST = RUNTIME / MANIFEST_NAME
# What a repository has in the place of a copy when it depends on the distribution.
PACKAGED = Path("template/src/{{package_name}}/{{packaged}}")
PACKAGED_MANIFEST = PACKAGED / MANIFEST_NAME
# PEP 770 has wheels carry it as .dist-info/sboms/NAME.
SBOM = RUNTIME / "plugsmith-runtime.cdx.json"


def render_sbom(version: str = __version__) -> str:
    """Returns the bill of materials of a distribution that contains a copy of the runtime, as CycloneDX 1.6.

    Args:
        version: of the runtime.
    """
    purl = f"pkg:pypi/plugsmith-runtime@{version}"
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": "plugsmith-runtime",
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "purl": purl,
    }
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}
    return json.dumps(document, indent=2) + "\n"


def render_runtime_manifest(root: Path, generated: dict[Path, str], dropped: set[Path]) -> str:
    """Returns the manifest of a checkout's runtime.

    Args:
        root: the checkout.
        generated: texts that files are to have, by their path within the checkout.
        dropped: files that are to go.
    """
    digests = file_digests(root / RUNTIME)
    for path, text in generated.items():
        if path.is_relative_to(RUNTIME):
            digests[path.relative_to(RUNTIME).as_posix()] = hashlib.sha256(text.encode("utf-8")).hexdigest()
    for path in dropped:
        digests.pop(path.relative_to(RUNTIME).as_posix(), None)
    return render_manifest(digests)
