"""TLS of the gRPC transport: credentials that follow renewed files, the client's names, the allow-list."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any

import grpc
import grpc.aio

from .check import check_choices, check_files
from .clear_key import clear_key
from .identity import identity_allowed, main_identity
from .pair import read_file
from .reload import Reloaded
from .settings import TlsSettings

logger = logging.getLogger(__name__)

_DENIED = "this client certificate is not in the server's allowed_clients"


def grpc_server_credentials(settings: TlsSettings) -> grpc.ServerCredentials:
    """The credentials for `add_secure_port`; they follow renewed files without a restart.

    Raises:
        StartError: see `check_tls`; also an encrypted key when the extra `certs` is not installed.
    """
    check_choices(settings, "grpc")
    reloaded = Reloaded(settings, lambda: _configuration(settings))
    return grpc.dynamic_ssl_server_credentials(
        reloaded.current(), reloaded.current, require_client_authentication=settings.client_auth == "require"
    )


def grpc_channel_credentials(
    ca_bundle: str, certfile: str | None = None, keyfile: str | None = None, keyfile_password: str | None = None
) -> grpc.ChannelCredentials:
    """The credentials of a client: it trusts only the bundle and shows its own certificate.

    Raises:
        StartError: a file is missing, unreadable or wrong, or the key is encrypted and the extra `certs` is missing.
    """
    roots = read_file(ca_bundle, "CA bundle")
    if not certfile:
        return grpc.ssl_channel_credentials(roots)
    key = clear_key(keyfile or certfile, keyfile_password)
    return grpc.ssl_channel_credentials(roots, key, read_file(certfile, "TLS certificate"))


def grpc_identities(context: Any) -> tuple[str, ...]:
    """The names in the client's verified certificate: its alternative names, then its common name.

    Args:
        context: the servicer context of a call.
    """
    properties = context.auth_context()
    values = [*properties.get("x509_subject_alternative_name", ()), *properties.get("x509_common_name", ())]
    return tuple(dict.fromkeys(value.decode("utf-8", "replace") for value in values))


def grpc_identity(context: Any) -> str | None:
    """The verified name of the client of a call, None when it showed no certificate."""
    identity = main_identity(grpc_identities(context))
    _log_connection(identity, context.peer())
    return identity


@lru_cache(maxsize=1024)
def _log_connection(identity: str | None, peer: str) -> None:
    # The cache makes it one line for each connection, which gRPC does not tell of.
    logger.info("TLS client %s connected from %s", identity, peer)


class AllowListInterceptor(grpc.aio.ServerInterceptor):
    """Lets only the named clients call any method; others get PERMISSION_DENIED.

    Args:
        allowed: the names that are let in.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """See `grpc.aio.ServerInterceptor`."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        shape = ("stream" if handler.request_streaming else "unary") + "_"
        shape += "stream" if handler.response_streaming else "unary"
        make = getattr(grpc, f"{shape}_rpc_method_handler")
        return make(
            self._guard(getattr(handler, shape)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _guard(self, behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        # grpc.aio tells the kinds of handlers apart by inspection, so each needs a guard of its own kind.
        if inspect.isasyncgenfunction(behaviour):

            async def stream(request: Any, context: Any) -> Any:
                if self._refuses(context):
                    await context.abort(grpc.StatusCode.PERMISSION_DENIED, _DENIED)
                async for response in behaviour(request, context):
                    yield response

            return stream
        if inspect.iscoroutinefunction(behaviour):

            async def unary(request: Any, context: Any) -> Any:
                if self._refuses(context):
                    await context.abort(grpc.StatusCode.PERMISSION_DENIED, _DENIED)
                return await behaviour(request, context)

            return unary

        def plain(request: Any, context: Any) -> Any:
            if self._refuses(context):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, _DENIED)
            return behaviour(request, context)

        return plain

    def _refuses(self, context: Any) -> bool:
        names = grpc_identities(context)
        if identity_allowed(names, self._allowed):
            return False
        logger.warning("TLS client refused, its names are not in allowed_clients: %s", ", ".join(names) or "none")
        return True


def _configuration(settings: TlsSettings) -> grpc.ServerCertificateConfiguration:
    encrypted = check_files(settings, warn=True)
    if encrypted:
        key = clear_key(settings.keyfile, settings.keyfile_password)
    else:
        key = read_file(settings.keyfile, "TLS key")
    chain = read_file(settings.certfile, "TLS certificate")
    verifies = settings.ca_bundle and settings.client_auth != "none"
    roots = read_file(settings.ca_bundle or "", "CA bundle") if verifies else None
    return grpc.ssl_server_certificate_configuration([(key, chain)], roots)
