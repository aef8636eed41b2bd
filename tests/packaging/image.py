"""Does what a container engine does with a Containerfile, in folders instead of images and as an ordinary user."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UID = 10001
_ROOTS = re.compile(r"(?<![\w./])/(opt/plugin|build|app)\b")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Containerfile in their order: the word, and the rest with its lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


@dataclass
class Stage:
    """What one FROM begins.

    Attributes:
        root: the folder that stands for the stage's file system.
        environ: what ENV and ARG set.
        workdir: the current folder, as the Containerfile names it.
        commands: the last ENTRYPOINT, CMD, USER, HEALTHCHECK and so on, as written.
    """

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    commands: dict[str, str] = field(default_factory=dict)

    def real(self, path: str) -> Path:
        """The place of a path of the Containerfile."""
        return self.root / os.path.join(self.workdir, path).lstrip("/")

    def text(self, words: str) -> str:
        """Words with the stage's folders in the place of absolute ones."""
        return _ROOTS.sub(lambda found: f"{self.root}/{found[1]}", words)

    def process(self, path: str, cache: Path) -> dict[str, str]:
        """The environment of a process in the stage; `path` holds the base image's programs."""
        outside = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG"))}
        inside = {name: self.text(text.replace("$PATH", path)) for name, text in self.environ.items()}
        inside.pop("PIP_NO_CACHE_DIR", None)  # so that a second run of the tests needs no network
        return {"PATH": path, "HOME": str(self.root), "PIP_CACHE_DIR": str(cache), **outside, **inside}


class Image:
    """Builds the stages below a folder.

    Args:
        context: the folder with the Containerfile.
        folder: an empty folder.
        python: stands for the base image's Python; must have pip.
        cache: for pip.
        arguments: what --build-arg would set.
    """

    def __init__(self, context: Path, folder: Path, python: Path, cache: Path, **arguments: str) -> None:
        self._context = context
        self._cache = cache
        self._arguments = arguments
        self._stages: dict[str, Stage] = {}
        self._programs = folder / "programs"
        self._programs.mkdir()
        (self._programs / "python").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        (self._programs / "python").chmod(0o755)
        self._folder = folder
        own(folder)
        self.final = self._build()

    @property
    def path(self) -> str:
        """The PATH of a process in the base image."""
        return f"{self._programs}:/usr/bin:/bin"

    def command(self, stage: Stage, instruction: str) -> list[str]:
        """The words of an ENTRYPOINT or CMD."""
        words: list[str] = json.loads(stage.commands[instruction])
        return words

    def popen(self, words: list[str], **environ: str) -> subprocess.Popen[str]:
        """Start a process in the final stage."""
        inside = self.final.process(self.path, self._cache) | environ
        found = shutil.which(words[0], path=inside["PATH"])
        assert found
        return subprocess.Popen(
            [found, *words[1:]], cwd=self.final.real("."), env=inside, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **ordinary_user(),
        )  # fmt: skip

    def _build(self) -> Stage:
        stage = Stage(self._folder)
        for word, rest in instructions((self._context / "Containerfile").read_text()):
            if word == "FROM":
                names = rest.split(" AS ")
                stage = Stage(self._folder / f"stage{len(self._stages)}")
                stage.root.mkdir()
                own(stage.root)
                self._stages[names[-1]] = stage
            elif word == "ARG":
                name, _, default = rest.partition("=")
                stage.environ[name] = self._arguments.get(name, default)
            elif word == "ENV":
                stage.environ |= dict(item.split("=", 1) for item in shlex.split(rest))
            elif word == "WORKDIR":
                stage.workdir = rest
                stage.real(".").mkdir(parents=True)
                own(stage.real("."))
            elif word == "COPY":
                self._copy(stage, rest.split())
            elif word == "RUN":
                self._run(stage, rest)
            else:
                stage.commands[word] = rest
        return stage

    def _copy(self, stage: Stage, words: list[str]) -> None:
        source = self._context
        if words[0].startswith("--from="):
            other = self._stages[words.pop(0).removeprefix("--from=")]
            words[0] = words[0].lstrip("/")
            source = other.root
        *paths, target = words
        for path in paths:
            place = stage.real(target)
            if (source / path).is_dir():
                shutil.copytree(source / path, place, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy(source / path, place / Path(path).name if target.endswith("/") else place)
            own(place)

    def _run(self, stage: Stage, script: str) -> None:
        done = subprocess.run(
            ["sh", "-c", stage.text(script)], cwd=stage.real("."), env=stage.process(self.path, self._cache),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **ordinary_user(),
        )  # fmt: skip
        assert done.returncode == 0, f"RUN {script}\n{done.stdout}{done.stderr}"


def ordinary_user() -> dict[str, Any]:
    """What makes subprocess leave the rights of root behind; nothing when it has none."""
    return {"user": UID, "group": UID} if os.geteuid() == 0 else {}


def own(path: Path) -> None:
    """Give a file or a folder, and what is in it, to the ordinary user."""
    if os.geteuid() == 0:
        for item in (path, *path.rglob("*")):
            os.chown(item, UID, UID, follow_symlinks=False)
