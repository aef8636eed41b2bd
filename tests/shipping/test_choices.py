"""Nothing of a choice that was not taken is left behind: no file, no target, no section, no word."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.template.conftest import Render

WORDS = {
    "ci": ["github", "workflow"],
    "container": ["container", "docker", "podman", "compose"],
    "kubernetes": ["kubernetes", "kubectl", "kubelet", "deploy/kubernetes"],
}


def written(root: Path) -> dict[str, str]:
    """The text of each file, but for the package (which is the same for all) and the recorded answers."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    names = {str(path.relative_to(root)): path for path in paths}
    return {
        name: path.read_text().lower()
        for name, path in names.items()
        if not name.startswith(("src/", "proto/", "LICENSE", ".copier-answers"))
    }


@pytest.mark.parametrize("ci", ["github", "none"])
@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize("kubernetes", [True, False])
def test_only_what_was_chosen_is_there(render: Render, ci: str, container: bool, kubernetes: bool) -> None:
    root = render(ci=ci, container=container, kubernetes=kubernetes)
    texts = written(root)
    for chosen, choice, file in (
        (ci == "github", "ci", ".github/workflows/checks.yaml"),
        (container, "container", "Containerfile"),
        (kubernetes, "kubernetes", "deploy/kubernetes/base/deployment.yaml"),
    ):
        assert (file in texts) == chosen
        for word in () if chosen else WORDS[choice]:
            # Kubernetes' manifests have containers of their own.
            left = [name for name, text in texts.items() if word in text and "deploy/kubernetes" not in name]
            assert left == [], word
    assert (root / ".github").exists() == (ci == "github")
    assert (root / "deploy").exists() == (container or kubernetes)
    assert ("\ncontainer-build:" in texts["Makefile"]) == container
    packed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert all((root / name).exists() for name in packed["only-include"])
    prose = re.sub(r"```python.*?```", "...", texts["README.md"], flags=re.DOTALL)
    assert "\n\n\n" not in prose.replace("\n\n\n## quick start", "")


@pytest.mark.parametrize("name", ["Yes", "no", "On", "off", "null"])
def test_names_that_yaml_takes_for_something_else_are_refused(render: Render, name: str) -> None:
    with pytest.raises(ValueError, match="has a meaning of its own"):
        render(plugin_name=name)
