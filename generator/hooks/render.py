"""Renders the models and the reference through jinja2, formatted as `ruff format` would."""

import json
import re
import textwrap
from importlib.resources import files

import jinja2

from .example import example_payload, example_result
from .model import Hook, HookContract

LINE_LENGTH = 120
_PARTS = files(__package__) / "templates"
# Names that hooks.py defines beside the messages of the contract.
_FIXED_NAMES = ("HOOKS", "HookMethods", "HookSpec", "PluginPayload", "PluginResult")


def render_models(contract: HookContract) -> str:
    """Returns the text of hooks.py."""
    return _render("hooks.py.jinja", contract)


def render_init(contract: HookContract) -> str:
    """Returns the text of contract/__init__.py."""
    return _render("init.py.jinja", contract)


def render_reference(contract: HookContract) -> str:
    """Returns the text of docs/hooks.md."""
    return _render("hooks.md.jinja", contract)


def render_choices(contract: HookContract) -> str:
    """Returns the lines of copier.yml's hook choices, not indented."""
    return _render("choices.yml.jinja", contract)


def public_names(contract: HookContract) -> list[str]:
    """Returns the names that hooks.py exports, in the order that ruff wants."""
    names = {*_FIXED_NAMES, *(message.name for message in contract.messages), *(hook.result for hook in contract.hooks)}
    names.update(enum_name(group) for group in contract.groups)
    return sorted(names, key=lambda name: (not name.isupper(), _natural(name)))


def enum_name(group: str) -> str:
    """Returns the name of the enum that lists a group's hooks."""
    return f"{group.capitalize()}HookType"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _docstring(text: str, indent: int) -> str:
    """Returns a docstring, wrapped, without the indent of its first line."""
    margin = " " * indent
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    wrap = textwrap.TextWrapper(LINE_LENGTH - indent - 3, break_long_words=False, break_on_hyphens=False)
    # The reference and editors flow paragraphs anew, so line breaks inside one carry nothing.
    paragraphs = ["\n".join(wrap.wrap(part)) for part in re.split(r"\n\s*\n", safe)]
    body = "\n\n".join(paragraphs)
    if "\n" in body:
        lines = body.split("\n")
        return "\n".join([f'"""{lines[0]}', *(margin + line if line else "" for line in lines[1:]), f'{margin}"""'])
    if body.endswith('"'):
        body = body[:-1] + '\\"'
    if indent + len(body) + 6 > LINE_LENGTH:
        return f'"""{body}\n{margin}"""'
    return f'"""{body}"""'


def _strings(values: tuple[str, ...]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _writable(values: tuple[str, ...], indent: int) -> str:
    """Returns a frozenset of strings as ruff breaks it: on one line, its items on one line, or one item a line."""
    margin = " " * indent
    if not values:
        return "frozenset()"
    flat = f"frozenset({{{_strings(values)}}})"
    if indent + len("writable=") + len(flat) + 1 <= LINE_LENGTH:
        return flat
    items = "".join(f'{margin}        "{value}",\n' for value in values)
    return f"frozenset(\n{margin}    {{\n{items}{margin}    }}\n{margin})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _writable_text(hook: Hook) -> str:
    """Returns what of a hook's payload can be changed, for the reference."""
    if hook.writable:
        return ", ".join(f"`{name}`" for name in hook.writable)
    return f"answers a `{hook.modified.text}`"


def _signature(hook: Hook) -> str:
    arguments = f"self, payload: {hook.payload}, context: PluginContext"
    line = f"async def {hook.name}({arguments}) -> {hook.result}:"
    return line if len(line) <= LINE_LENGTH else f"async def {hook.name}(\n    {arguments}\n) -> {hook.result}:"


def _roots(fields: dict[str, str]) -> str:
    pairs = ", ".join(f'"{name}": {kind}' for name, kind in fields.items())
    return f"{{{pairs}}}"


def _flow(text: str) -> str:
    """Returns a comment as one line for a table or a label."""
    return " ".join(text.split())


def _template(name: str) -> str | None:
    part = _PARTS / name
    return part.read_text(encoding="utf-8") if part.is_file() else None


def _render(template: str, contract: HookContract) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # text for people and Python, not HTML
    )
    environment.filters.update(
        docstring=_docstring,
        enum_name=enum_name,
        flow=_flow,
        quoted=_quoted,
        roots=_roots,
        signature=_signature,
        writable=_writable,
        writable_text=_writable_text,
    )
    return environment.get_template(template).render(
        contract=contract, names=public_names(contract), example_payload=example_payload, example_result=example_result
    )
