"""The resolver: precedence, errors, frozen classes, unknown keys, options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from plugsmith_runtime.errors import StartError
from plugsmith_runtime.settings import parsers
from plugsmith_runtime.settings.table import Resolver, Setting, Table, add_options, refuse_unknown_keys

TABLE: Table = {
    "name": Setting(("APP_NAME",), "the name", default="app"),
    "web.port": Setting(("APP_PORT", "PORT"), "the port", parsers.port, 80, ("web", "port"), "--web-port"),
    "web.names": Setting((), "the names", parsers.names, ("a", "b"), ("web", "tls", "names"), "--names"),
    "web.token": Setting(("APP_TOKEN",), "the secret", parsers.token, secret=True),
}
SECRET = "too short"


class Web(NamedTuple):
    port: int
    names: tuple[str, ...]
    token: str | None
    tls: bool


@dataclass(frozen=True, slots=True)
class App:
    name: str
    web: Web


def resolver(cli: dict[str, Any], document: dict[str, Any], **environ: str) -> Resolver:
    return Resolver(TABLE, cli, document, environ)


def test_the_order_of_precedence() -> None:
    cli, document, environ = {"web_port": "1"}, {"web": {"port": 4}}, {"APP_PORT": "2", "PORT": "3"}
    seen = [resolver(cli, document, **environ).value("web.port")]
    seen.append(resolver({"web_port": None}, document, **environ).value("web.port"))
    seen.append(resolver({}, document, PORT="3").value("web.port"))
    seen.append(resolver({}, document, PORT="").value("web.port"))
    seen.append(resolver({}, {"web": None}).value("web.port"))
    assert seen == [1, 2, 3, 4, 80]


def test_what_is_given_differs_from_a_default() -> None:
    assert resolver({}, {}).given("web.port") is None
    assert resolver({}, {"web": {"port": 80}}).given("web.port") == 80


@pytest.mark.parametrize(
    ("cli", "document", "environ", "text"),
    [
        ({"web_port": "x"}, {}, {}, "--web-port: 'x': invalid literal for int"),
        ({}, {"web": {"port": 65536}}, {}, "web.port: 65536: a port is a number from 0 to 65535"),
        ({}, {}, {"PORT": "-1"}, "PORT: '-1': a port is a number from 0 to 65535"),
        ({}, {}, {"APP_TOKEN": SECRET}, "APP_TOKEN: a token has at least 16 characters"),
    ],
)
def test_an_error_names_the_source(
    cli: dict[str, Any], document: dict[str, Any], environ: dict[str, str], text: str
) -> None:
    with pytest.raises(StartError) as caught:
        resolver(cli, document, **environ).build(Web, "web", tls=False)
    assert str(caught.value).startswith(text)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_frozen_classes_are_built_from_the_table() -> None:
    settings = resolver({}, {"web": {"tls": {"names": "x, y,x,"}}}, APP_PORT="8443")
    app = settings.build(App, "", web=settings.build(Web, "web", tls=True))
    assert app == App("app", Web(8443, ("x", "y"), None, True))


def test_unknown_keys_are_refused() -> None:
    refuse_unknown_keys(TABLE, {"web": {"port": 1, "tls": {"names": []}}, "other": {"x": 1}}, ["web"])
    for document, text in (
        ({"web": {"prot": 1}}, "web: unknown key 'prot'; it knows port, tls"),
        ({"web": {"tls": {"name": 1}}}, "web.tls: unknown key 'name'; it knows names"),
        ({"web": {"tls": 1}}, "web: unknown key 'tls'; it knows port, tls"),
    ):
        with pytest.raises(StartError, match=f"^{text}$"):
            refuse_unknown_keys(TABLE, document, ["web"])


def test_options_come_from_the_table() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, {name: setting for name, setting in TABLE.items() if setting.env})
    assert "the port [APP_PORT; default: 80]" in parser.format_help()
    assert vars(parser.parse_args(["--web-port", "1"])) == {"web_port": "1"}


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (parsers.port, [("0", 0), (65535, 65535)], ["-1", "65536", "x"]),
        (parsers.positive, [("0.5", 0.5), (2, 2.0)], ["0", "-1", "inf", "nan"]),
        (parsers.count, [("1", 1)], ["0", "1.5"]),
        (parsers.size, [("1024", 1024), (1 << 30, 1 << 30)], ["1023", (1 << 30) + 1]),
        (parsers.switch, [("Yes", True), (False, False), ("off", False), (1, True)], ["", "2", None]),
        (parsers.one_of("a", "b"), [(" A", "a")], ["c"]),
        (parsers.names, [("a, b,,a", ("a", "b")), (["x"], ("x",))], []),
        (parsers.user_ids, [("0,1000", (0, 1000)), ([5], (5,))], ["root"]),
        (parsers.token, [("0123456789abcdef", "0123456789abcdef")], ["0123456789abcde", "0123456789 bcdef", "ä" * 16]),
    ],
)
def test_parsers(parse: Callable[[Any], Any], good: list[tuple[Any, Any]], bad: list[Any]) -> None:
    for value, parsed in good:
        assert parse(value) == parsed
    for value in bad:
        with pytest.raises(ValueError):
            parse(value)
