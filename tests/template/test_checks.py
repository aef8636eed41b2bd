"""Each rendered repository passes its own checks: style, formatting as a no-op, strict types, and its tests.

One environment serves all of them, since they have the same dependencies; test_make.py runs the Makefile's targets.
"""

from __future__ import annotations

import itertools
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from tests.support.environments import environment
from tests.support.locking import exclusive
from tests.support.rendering import ALL_HOOKS, RenderedPlugin, dependencies, render_compiled
from tests.support.serving import environ

from .conftest import Render
from .cover import CHOICES, Answers, each_once, pairwise, possible, rows
from .leftovers import check_choices
from .package_mode import runtime_wheel

STYLE = [["ruff", "check", "."], ["ruff", "format", "--check", "."]]
FEW, MANY = each_once(), pairwise()


def tools(root: Path) -> Path:
    """A Python with all that the repository's checks need; in package mode that is the runtime of this checkout."""
    wanted = dependencies(root, "grpc", "certs", "dev")
    if any(item.startswith("plugsmith-runtime") for item in wanted):
        others = [item for item in wanted if not item.startswith("plugsmith-runtime")]
        return environment("packaged-tools", [f"plugsmith-runtime[grpc,certs] @ {runtime_wheel().as_uri()}", *others])
    return environment("rendered-tools", wanted)


def check(root: Path, *commands: list[str], like: Path | None = None) -> None:
    """Run modules with the repository's tools, or with those of `like`; the first that fails fails the test."""
    plugin = RenderedPlugin(root, next(root.glob("src/*/plugin.py")).parent.name, tools(like or root))
    # Most of mypy's time goes into what is the same for all repositories of one name.
    cache = plugin.python.parents[1] / "mypy-cache" / plugin.package
    variables = environ(plugin, MYPY_CACHE_DIR=str(cache))
    for command in commands:
        with exclusive(cache) if command == ["mypy"] else nullcontext():
            done = subprocess.run(
                [plugin.python, "-m", *command], cwd=root, env=variables, capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def check_all(root: Path) -> None:
    """Run all checks of a repository, and see that its targets can be listed."""
    check_choices(root)
    listed = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert "\n  test " in listed
    check(root, *STYLE, ["mypy"], ["pytest"])


def test_every_two_choices_meet() -> None:
    for (one, its), (other, others) in itertools.combinations(CHOICES.items(), 2):
        for pair in itertools.product(its, others):
            wanted = dict(zip((one, other), pair, strict=True))
            assert not possible({"kind": "hooks"} | wanted) or any(row.items() >= wanted.items() for row in rows()), (
                wanted
            )


@pytest.mark.parametrize(
    ("ci", "container", "kubernetes"),
    [("github", True, True), ("github", False, False), ("none", True, False), ("none", False, True)],
)
def test_nothing_is_left_of_what_was_not_chosen(render: Render, ci: str, container: bool, kubernetes: bool) -> None:
    check_choices(render(ci=ci, container=container, kubernetes=kubernetes))


@pytest.mark.parametrize("answers", FEW.values(), ids=FEW.keys())
def test_the_repository_passes_its_own_checks(tmp_path: Path, answers: Answers) -> None:
    check_all(render_compiled(tmp_path / "plugin", **answers))


@pytest.mark.full
@pytest.mark.parametrize("answers", MANY.values(), ids=MANY.keys())
def test_every_repository_of_the_cover_passes_its_own_checks(tmp_path: Path, answers: Answers) -> None:
    check_all(render_compiled(tmp_path / "plugin", **answers))


@pytest.fixture(scope="module")
def alone(shared_folder: Path) -> dict[str, Path]:
    """A repository for each hook alone."""
    return {hook: render_compiled(shared_folder / "alone" / hook, hooks=[hook]) for hook in ALL_HOOKS}


ALL_BUT_THE_LAST = [pytest.param(hook, marks=pytest.mark.full) for hook in ALL_HOOKS[:-1]]


def test_every_hook_alone_is_clean(alone: dict[str, Path]) -> None:
    files = [str(root / name) for root in alone.values() for name in ("src/my_plugin/plugin.py", "tests")]
    check(alone[ALL_HOOKS[0]], ["ruff", "check", *files], ["ruff", "format", "--check", *files])


def test_every_hook_alone_shows_three_cases(alone: dict[str, Path]) -> None:
    for hook, root in alone.items():
        cases = yaml.safe_load((root / "resources/demo.yaml").read_text())
        assert [case["hook"] for case in cases] == [hook] * 3
        assert cases[0]["expect"] == "allowed"


@pytest.mark.parametrize("hook", [*ALL_BUT_THE_LAST, ALL_HOOKS[-1]])
def test_a_hook_alone_passes_all_checks(alone: dict[str, Path], hook: str) -> None:
    check(alone[hook], ["mypy"], ["pytest"])
