"""Answers to the template's questions that together try every choice beside every other."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

from tests.support.rendering import ALL_HOOKS

Answers = dict[str, Any]
Row = dict[str, Any]

STRANGE = "Ünï \"quoted\" 'single' \\back\\slash {{ 7 * 7 }} # hash: colon, ${x} `tick` 🚀 <b>&amp;"
NAMES: dict[str, Answers] = {
    "plain": {},
    "one-letter": {"plugin_name": "x", "author": "Ann", "email": "ann@example.com"},
    "long": {"plugin_name": "abcdefghij" * 4},
    "odd": {"plugin_name": 'Bob\'s "Ünïcode" 🚀 \\ filter', "description": STRANGE, "author": STRANGE},
}
HOOKS: dict[str, list[str]] = {
    "two": ["tool_pre_invoke", "tool_post_invoke"],
    "all": ALL_HOOKS,
    "one": ["prompt_pre_fetch"],
    "headers": ["http_pre_request", "http_post_request"],
    "verdicts": ["http_auth_resolve_user", "http_auth_check_permission"],
}
CHOICES: dict[str, list[Any]] = {
    "kind": ["hooks", "telemetry", "auth", "audit"],
    "name": list(NAMES),
    "hooks": list(HOOKS),
    "transport": ["http", "stdio", "grpc", "unix"],
    "license": ["Apache-2.0", "MIT", "BSD-3-Clause", "proprietary"],
    "runtime": ["vendored", "package"],
    "ci": ["github", "none"],
    "container": [True, False],
    "kubernetes": [True, False],
}
# These are asked only of plugins with hooks; the others get these answers.
NOT_ASKED = {"hooks": "two", "transport": "http", "kubernetes": False}


@cache
def rows() -> list[Row]:
    """A cover, by the names above: of all rows always the next that makes the most pairs which were not made before."""
    product = (dict(zip(CHOICES, row, strict=True)) for row in itertools.product(*CHOICES.values()))
    candidates = [(set(itertools.combinations(row.items(), 2)), row) for row in product if possible(row)]
    missing = set[Any]().union(*(pairs for pairs, _ in candidates))
    found = []
    while missing:
        pairs, row = max(candidates, key=lambda candidate: len(missing & candidate[0]))
        missing -= pairs
        found.append(row)
    return found


def possible(row: Row) -> bool:
    """Whether a row, or the beginning of one, can be chosen."""
    return row["kind"] == "hooks" or all(row.get(name, answer) == answer for name, answer in NOT_ASKED.items())


def pairwise() -> dict[str, Answers]:
    """Answers in which each two choices that can be made together are made together at least once, by their names."""
    return {_name(row): _answers(row) for row in rows()}


def each_once() -> dict[str, Answers]:
    """A few of the pairwise answers in which each choice is made at least once."""
    missing = {item for row in rows() for item in row.items()}
    found = {}
    while missing:
        row = max(rows(), key=lambda row: len(missing & set(row.items())))
        missing -= set(row.items())
        found[_name(row)] = _answers(row)
    return found


def _name(row: Row) -> str:
    words = {True: "", False: "no-"}
    return "-".join(str(words[value] + name if isinstance(value, bool) else value) for name, value in row.items())


def _answers(row: Row) -> Answers:
    answers = {name: value for name, value in row.items() if row["kind"] == "hooks" or name not in NOT_ASKED}
    if "hooks" in answers:
        answers["hooks"] = HOOKS[row["hooks"]]
    del answers["name"]
    return answers | NAMES[row["name"]]
