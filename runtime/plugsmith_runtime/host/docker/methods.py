"""Methods of Docker's plugins by name, and an adapter that makes a hook of each, for the host."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from ...contract.hooks import PluginPayload, PluginResult
from ..loader import Hook
from ..plugin import Plugin
from .models import (
    AuditEvent,
    Credential,
    CredentialKey,
    CredentialOwner,
    CredentialValue,
    Metric,
    NewCredential,
    UserPrincipal,
)
from .plugins import AuditPlugin, AuthPlugin, CredentialPlugin, TelemetryPlugin


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What is known about one method.

    Attributes:
        name: the method's name, on the wire (where "-" is as good as "_") and in the class.
        owner: the base class that declares it.
        payload: the model of what it receives.
        result: the type of what it answers.
    """

    name: str
    owner: type[Plugin]
    payload: type[PluginPayload]
    result: type[Any] = NoneType


SPECS: dict[str, MethodSpec] = {
    spec.name: spec
    for spec in (
        MethodSpec("record_counter", TelemetryPlugin, Metric),
        MethodSpec("record_histogram", TelemetryPlugin, Metric),
        MethodSpec("record_gauge", TelemetryPlugin, Metric),
        MethodSpec("validate_credential", AuthPlugin, Credential, UserPrincipal),
        MethodSpec("store_credential", CredentialPlugin, NewCredential),
        MethodSpec("retrieve_credential", CredentialPlugin, CredentialKey, CredentialValue),
        MethodSpec("delete_credential", CredentialPlugin, CredentialKey),
        MethodSpec("list_credentials", CredentialPlugin, CredentialOwner, list),
        MethodSpec("log_event", AuditPlugin, AuditEvent),
    )
}
"""The methods by name; loader.METHODS has the same names."""


def method_hooks(plugin: Plugin) -> dict[str, Hook]:
    """Find the methods that a plugin's class overrides, by name, each in the form of a hook.

    As a hook it takes a context too, and what it answers stands in `modified_payload` of a result.
    """
    hooks = {}
    for name, spec in SPECS.items():
        if isinstance(plugin, spec.owner) and getattr(type(plugin), name) is not getattr(spec.owner, name):
            method = getattr(plugin, name)
            hooks[name] = Hook(spec, _as_hook(spec, method), threaded=not inspect.iscoroutinefunction(method))
    return hooks


def _as_hook(spec: MethodSpec, method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    if inspect.iscoroutinefunction(method):

        async def hook(payload: Any, context: Any) -> Any:
            return _result(spec, await method(payload))

        return hook
    return lambda payload, context: _result(spec, method(payload))


def _result(spec: MethodSpec, answer: Any) -> Any:
    # What is of another type goes on as it is: the host says what is wrong with it.
    return PluginResult[Any](modified_payload=answer) if isinstance(answer, spec.result) else answer
