"""Client identities and the allow-list, in place: the same rule for HTTP and gRPC."""

from __future__ import annotations

from typing import Any

import pytest
from plugsmith_runtime.tls.identity import ClientAllowList, client_identities, main_identity
from plugsmith_runtime.tls.settings import parse_client_auth

PEERCERT: dict[str, Any] = {
    "subject": ((("organizationName", "Example"),), (("commonName", "Gateway"),)),
    "subjectAltName": (("DNS", "gw.example"), ("URI", "spiffe://example/gw"), ("DNS", "Gateway"), ("<unknown>", "x")),
}
NAMES = ("gw.example", "spiffe://example/gw", "Gateway")


def test_the_names_are_the_alternative_ones_then_the_common_name() -> None:
    assert client_identities(PEERCERT) == NAMES
    assert client_identities(None) == client_identities({}) == ()


def test_the_name_to_show_is_a_uri_if_there_is_one() -> None:
    assert main_identity(NAMES) == "spiffe://example/gw"
    assert main_identity(NAMES[:1]) == "gw.example"
    assert main_identity(()) is None


@pytest.mark.parametrize(
    ("allowed", "admitted"),
    [
        ((), True),
        (("other", "GATEWAY"), True),
        (("spiffe://example/gw",), True),
        (("gateway.example",), False),
        (("gw",), False),
        (("*",), False),
    ],
)
def test_the_allow_list_takes_whole_names(
    allowed: tuple[str, ...], admitted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert ClientAllowList(allowed).admits(NAMES) is admitted
    text = "TLS client refused, its names are not in allowed_clients: gw.example, spiffe://example/gw, Gateway"
    assert caplog.messages == ([] if admitted else [text])


def test_a_client_without_a_name_needs_an_empty_list() -> None:
    assert ClientAllowList(()).admits(())
    assert not ClientAllowList(("gateway",)).admits(())


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("require", "require"),
        (" Optional ", "optional"),
        ("NONE", "none"),
        ("0", "none"),
        (1, "optional"),
        (2, "require"),
    ],
)
def test_client_auth_is_a_word_or_a_number_of_the_ssl_module(value: object, word: str) -> None:
    assert parse_client_auth(value) == word


@pytest.mark.parametrize("value", ["", "3", "yes", "required", True])
def test_other_words_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="set it to none, optional or require"):
        parse_client_auth(value)
