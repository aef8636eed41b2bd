"""The table of an application's settings, and the resolver that looks values up in their order of precedence."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from ..errors import StartError

T = TypeVar("T")


class Setting(NamedTuple):
    """One setting.

    Attributes:
        env: the environment variables that set it; the first one that is set counts.
        help: what it is, for people.
        parse: turns text, or a value of the YAML file, into the setting's type; raises ValueError.
        default: the value when nobody sets it.
        yaml: its path in the YAML file.
        flag: its option of the command line.
        secret: whether error messages leave its value out.
    """

    env: tuple[str, ...]
    help: str
    parse: Callable[[Any], Any] = str
    default: Any = None
    yaml: tuple[str, ...] = ()
    flag: str | None = None
    secret: bool = False


Table = Mapping[str, Setting]
"""The settings of an application by their names; dots group what belongs together ("http.port")."""


class Resolver:
    """Looks settings up: command line before environment before YAML file before default.

    Args:
        table: the settings.
        cli: options of the command line by name; None for those not given.
        document: the content of the YAML file.
        environ: the environment; that of the process when None.
    """

    def __init__(
        self,
        table: Table,
        cli: Mapping[str, Any],
        document: Mapping[str, Any],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._table = table
        self._cli = cli
        self._document = document
        self._environ = os.environ if environ is None else environ

    def given(self, name: str) -> Any:
        """The value that somebody set, parsed; None when it is left to the default.

        Raises:
            StartError: the value does not fit.
        """
        setting = self._table[name]
        for value, source in self._sources(setting):
            if value is not None and value != "":
                try:
                    return setting.parse(value)
                except ValueError as error:
                    shown = "" if setting.secret else f"{value!r}: "
                    raise StartError(f"{source}: {shown}{error}") from (None if setting.secret else error)
        return None

    def value(self, name: str) -> Any:
        """The value that somebody set, or the default; errors as in `given`."""
        found = self.given(name)
        return self._table[name].default if found is None else found

    def build(self, kind: Callable[..., T], group: str, **values: Any) -> T:
        """Make a frozen dataclass or a named tuple whose fields are the settings of a group.

        Args:
            kind: its class.
            group: what stands before the dot in the settings' names; empty for settings without a group.
            values: fields that do not come from the table.
        """
        fields: Iterable[str] = getattr(kind, "_fields", ()) or getattr(kind, "__dataclass_fields__", ())
        prefix = f"{group}." if group else ""
        return kind(**{name: self.value(prefix + name) for name in fields if name not in values}, **values)

    def _sources(self, setting: Setting) -> list[tuple[Any, str]]:
        sources: list[tuple[Any, str]] = []
        if setting.flag:
            sources.append((self._cli.get(setting.flag.lstrip("-").replace("-", "_")), setting.flag))
        sources += [(self._environ.get(name), name) for name in setting.env]
        if setting.yaml:
            block: Any = self._document
            for key in setting.yaml:
                block = block.get(key) if isinstance(block, dict) else None
            sources.append((block, ".".join(setting.yaml)))
        return sources


def refuse_unknown_keys(table: Table, document: Mapping[str, Any], blocks: Iterable[str]) -> None:
    """Refuse keys of a YAML file that set nothing.

    Args:
        table: the settings.
        document: the content of the file.
        blocks: the keys at its top whose content holds settings.

    Raises:
        StartError: a key is unknown; the text names those that are known.
    """
    known: dict[str, set[str]] = {}
    for setting in table.values():
        if len(setting.yaml) > 1:
            known.setdefault(".".join(setting.yaml[:-1]), set()).add(setting.yaml[-1])
    for block in blocks:
        _check_keys(document.get(block) or {}, block, known)


def _check_keys(values: Mapping[str, Any], path: str, known: Mapping[str, set[str]]) -> None:
    nested = {name.rpartition(".")[2] for name in known if name.startswith(f"{path}.")}
    for key, value in values.items():
        if key in nested and isinstance(value, dict):
            _check_keys(value, f"{path}.{key}", known)
        elif key not in known[path]:
            raise StartError(f"{path}: unknown key {key!r}; it knows {', '.join(sorted(known[path] | nested))}")


def add_options(parser: argparse.ArgumentParser, table: Table) -> None:
    """Add an option for every setting that has one.

    Args:
        parser: the command's parser.
        table: the settings.
    """
    for setting in table.values():
        if setting.flag:
            default = ",".join(setting.default) if isinstance(setting.default, tuple) else setting.default
            text = f"{setting.help} [{setting.env[0]}; default: {default}]"
            parser.add_argument(setting.flag, metavar="VALUE", help=text)
