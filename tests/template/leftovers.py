"""What a choice that was not taken must not leave behind: no file, no target, no section, no dependency, no word."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

FILES = {
    "ci": ".github/workflows/checks.yaml",
    "container": "Containerfile",
    "kubernetes": "deploy/kubernetes/base/deployment.yaml",
}
WORDS = {
    "ci": ["github", "workflow"],
    "container": ["container", "docker", "podman", "compose"],
    "kubernetes": ["kubernetes", "kubectl", "kubelet", "deploy/kubernetes"],
}


def check_choices(root: Path) -> None:
    """Hold a rendered repository against the answers that it records."""
    answers = yaml.safe_load((root / ".copier-answers.yml").read_text())
    # Copier records no answer to a question that it did not ask.
    taken = {
        "ci": answers["ci"] == "github",
        **{name: answers.get(name, False) for name in ("container", "kubernetes")},
    }
    texts = _written(root)
    for choice, file in FILES.items():
        assert (file in texts) == taken[choice], choice
        for word in () if taken[choice] else WORDS[choice]:
            # Kubernetes' manifests have containers of their own.
            left = [name for name, text in texts.items() if word in text and "deploy/kubernetes" not in name]
            assert left == [], word
    assert (root / ".github").exists() == taken["ci"]
    assert (root / "deploy").exists() == (taken["container"] or taken["kubernetes"])
    assert ("\ncontainer-build:" in texts["Makefile"]) == taken["container"]
    packed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert all((root / name).exists() for name in packed["only-include"])
    prose = re.sub(r"```python.*?```", "...", texts["README.md"], flags=re.DOTALL)
    assert "\n\n\n" not in prose.replace("\n\n\n## quick start", "")


def _written(root: Path) -> dict[str, str]:
    """The text of each file, but for the package (which is the same for all) and the recorded answers."""
    names = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {
        name: path.read_text().lower().replace("docker's mcp gateway", "that gateway")
        for name, path in names.items()
        if not name.startswith(("src/", "proto/", "LICENSE", ".copier-answers"))
    }
