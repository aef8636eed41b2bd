"""From proto/hooks.proto to hook models, hook choices and the hook reference."""

from .model import Field, Hook, HookContract, Message, TypeName
from .reader import read_hooks
from .render import render_choices, render_init, render_models, render_reference

__all__ = [
    "Field",
    "Hook",
    "HookContract",
    "Message",
    "TypeName",
    "read_hooks",
    "render_choices",
    "render_init",
    "render_models",
    "render_reference",
]
