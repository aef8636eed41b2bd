"""Renders a repository through Copier."""

import re
import sys
import warnings
from pathlib import Path
from typing import Any

from .errors import PlugsmithError
from .paths import source_root
from .questions import check_answers


def render(
    dest: str,
    answers: dict[str, str],
    *,
    template: str | None = None,
    vcs_ref: str | None = None,
    defaults: bool = False,
    overwrite: bool = False,
) -> None:
    """Renders a repository.

    Args:
        dest: the folder to make.
        answers: text by the question's name.
        template: folder or Git address; None for the template of this plugsmith.
        vcs_ref: tag, branch or commit; None for HEAD.
        defaults: take the default of each open question instead of asking.
        overwrite: replace files that exist.

    Raises:
        PlugsmithError: an answer, the destination or the template is wrong.
        KeyboardInterrupt: Ctrl-C at a question.
    """
    target = Path(dest)
    if target.exists() and not target.is_dir():
        raise PlugsmithError(f"{dest}: a file of that name exists; choose another folder")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise PlugsmithError(f"{dest}: the folder is not empty; choose another one or pass --overwrite")
    if not defaults and not sys.stdin.isatty():
        raise PlugsmithError("no terminal to ask on; pass --defaults, and --data name=value for what should differ")
    # An absolute path, since Copier records it for updates as it stands.
    source = str(source_root()) if template is None else _absolute(template)
    data: dict[str, Any] = dict(answers)
    if (Path(source) / "copier.yml").is_file():
        data = check_answers(answers, Path(source))
    _copy(source, target, data, vcs_ref or "HEAD", defaults, overwrite)


def _absolute(template: str) -> str:
    return str(Path(template).resolve()) if Path(template).is_dir() else template


def _copy(source: str, target: Path, data: dict[str, Any], vcs_ref: str, defaults: bool, overwrite: bool) -> None:
    from copier import run_copy  # half a second, which --help need not pay
    from copier.errors import CopierError, DirtyLocalWarning
    from plumbum import ProcessExecutionError

    in_git = not Path(source).is_dir() or (Path(source) / ".git").exists()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DirtyLocalWarning)  # that changes count is what --help says
            run_copy(source, target, data, vcs_ref=vcs_ref if in_git else None, defaults=defaults, overwrite=overwrite)
    except KeyboardInterrupt:
        raise
    except ProcessExecutionError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()] or ["git failed"]
        raise PlugsmithError(f"{source} at {vcs_ref}: {lines[-1].strip()}; check --template and --vcs-ref") from error
    except (CopierError, ValueError, OSError) as error:
        raise PlugsmithError(_in_our_words(" ".join(str(error).split()), source)) from error


def _in_our_words(message: str, source: str) -> str:
    if refused := re.fullmatch(r"Validation error for question '(\w+)': (.*)", message):
        return f"--data {refused[1]}: {refused[2]}"
    return f"{source}: {message or 'it cannot be rendered'}; check --template and --vcs-ref"
