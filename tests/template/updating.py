"""Git repositories for tests of `copier update`: a template with releases, and what an author made of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.rendering import ROOT

IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com"))
}


@dataclass(frozen=True)
class Checkout:
    """A folder under git."""

    root: Path

    def git(self, *arguments: str) -> str:
        return run("git", *arguments, cwd=self.root)

    def start(self) -> None:
        self.git("init", "-q")
        self.commit()

    def commit(self, tag: str | None = None) -> None:
        """Commit all there is; with a tag, release it."""
        self.git("add", "--all")
        self.git("commit", "-qm", "changes")
        if tag:
            self.git("tag", tag)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} holds no {old!r}"
        (self.root / path).write_text(text.replace(old, new))

    def append(self, path: str, text: str) -> None:
        with (self.root / path).open("a") as file:
            file.write(text)

    def unclean(self) -> list[str]:
        """Files with conflicts: unmerged, holding markers, or left by a rejected hunk."""
        names = self.git("diff", "--name-only", "--diff-filter=U").split()
        for path in self.root.rglob("*"):
            if path.is_file() and ".git" not in path.parts and ".venv" not in path.parts:
                text = path.read_text(errors="replace")
                if path.suffix == ".rej" or "\n<<<<<<< " in text or "\n>>>>>>> " in text:
                    names.append(str(path.relative_to(self.root)))
        return names


def run(*command: str, cwd: Path) -> str:
    """Run a program and return what it printed; fails when it does."""
    environ = os.environ | IDENTITY
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def released_template(template: Path, folder: Path, *runtime: str) -> Checkout:
    """A copy of the template, with the generator, as a git repository with the tag v1.0.0.

    Args:
        template: the template outside git.
        folder: the folder to make.
        runtime: the only files of the runtime to copy (beside its version, which the template reads), where an update
            is judged and not what it brings; all when none is named. Copier renders the template three times for an
            update, and most of it is the runtime.
    """
    shutil.copytree(template, folder, symlinks=True)
    managed = folder / "runtime" / "plugsmith_runtime"
    if runtime:
        shutil.rmtree(managed)
    for name in ("_version.py", *runtime) if runtime else ():
        (managed / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(template / managed.relative_to(folder) / name, managed / name)
    shutil.copytree(ROOT / "generator", folder / "generator", ignore=shutil.ignore_patterns("__pycache__"))
    checkout = Checkout(folder)
    checkout.start()
    checkout.git("tag", "v1.0.0")
    return checkout


def rendered_from(template: Checkout, folder: Path, *options: str) -> Checkout:
    """A repository rendered from the last release of a template, committed."""
    copier("copy", "--defaults", "--quiet", *options, str(template.root), str(folder), cwd=template.root)
    checkout = Checkout(folder)
    checkout.start()
    return checkout


def copier(*arguments: str, cwd: Path) -> str:
    """Run Copier as people do, and without --trust."""
    return run(sys.executable, "-m", "copier", *arguments, cwd=cwd)


def update(plugin: Checkout, *options: str) -> None:
    """Update a repository to the last release of its template."""
    copier("update", "--defaults", "--quiet", *options, cwd=plugin.root)
