"""Answers given on the command line, checked against the template's questions."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .errors import PlugsmithError


def parse_data(pairs: Sequence[str]) -> dict[str, str]:
    """Returns the answers of `--data NAME=VALUE`.

    Raises:
        PlugsmithError: one is not of that form.
    """
    wrong = [pair for pair in pairs if "=" not in pair.lstrip("=")]
    if wrong:
        raise PlugsmithError(*(f"--data {pair!r}: no answer in it; write --data name=value" for pair in wrong))
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def check_answers(answers: dict[str, str], template: Path) -> dict[str, Any]:
    """Returns the answers in the form that Copier takes, since it drops what it does not know without a word.

    Args:
        answers: text by the question's name.
        template: the folder of copier.yml.

    Raises:
        PlugsmithError: there is no such question, or no such choice.
    """
    with (template / "copier.yml").open(encoding="utf-8") as file:
        questions = {name: value for name, value in yaml.safe_load(file).items() if not name.startswith("_")}
    problems: list[str] = []
    checked: dict[str, Any] = {}
    for name, value in answers.items():
        if name not in questions or _is_computed(questions[name]):
            asked = [known for known, question in questions.items() if not _is_computed(question)]
            problems.append(f"--data {name}: no such question; {_nearest(name, asked)}")
            continue
        question = questions[name] if isinstance(questions[name], dict) else {}
        given = _items(value) if question.get("multiselect") else [value]
        choices = _choices(question.get("choices"))
        for item in given:
            if choices and item not in choices:
                problems.append(f"--data {name}: {item!r} is no choice; {_nearest(item, choices)}")
        checked[name] = given if question.get("multiselect") else value
    if problems:
        raise PlugsmithError(*problems)
    return checked


def _is_computed(question: Any) -> bool:
    return isinstance(question, dict) and question.get("when") is False


def _items(value: str) -> list[str]:
    return [item.strip(" '\"") for item in value.strip("[] ").split(",") if item.strip(" '\"")]


def _choices(choices: Any) -> list[str]:
    """Returns the values of a question's choices, in any form that Copier takes; none when they are computed."""
    if isinstance(choices, dict):
        return [str(choice["value"] if isinstance(choice, dict) else choice) for choice in choices.values()]
    if isinstance(choices, list):
        return [str(choice[1] if isinstance(choice, list) else choice) for choice in choices]
    return []


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
