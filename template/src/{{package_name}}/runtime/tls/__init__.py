"""TLS of the network transports: settings, checks at start, contexts that follow renewed files, the client's names."""

from __future__ import annotations

from .check import check_tls
from .context import ReloadingContext, client_ssl_context, server_ssl_context
from .identity import client_identities, identity_allowed, main_identity, scope_identity
from .settings import CLIENT_AUTH_BY_CERT_REQS, ClientAuth, TlsSettings, client_auth_value

__all__ = [
    "CLIENT_AUTH_BY_CERT_REQS",
    "ClientAuth",
    "ReloadingContext",
    "TlsSettings",
    "check_tls",
    "client_auth_value",
    "client_identities",
    "client_ssl_context",
    "identity_allowed",
    "main_identity",
    "scope_identity",
    "server_ssl_context",
]
