"""Rewrites the import lines of generated modules, and nothing else."""

import ast
from collections.abc import Set


def relocate(text: str, module: str, compiled: Set[str]) -> str:
    """Makes imports of compiled modules relative; every other byte stays.

    Args:
        text: source of a generated .py or .pyi file.
        module: dotted name of the file's module, below the folder that holds the compiled set.
        compiled: dotted names of the modules that are written together.
    """
    # The syntax tree tells imports from comments of the .proto that look like one and stand in docstrings.
    lines = text.split("\n")
    dots = "." * (module.count(".") + 1)
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or node.lineno != node.end_lineno:
            continue
        rewritten = _relative(node, dots, compiled)
        if rewritten:
            # Columns count bytes. What follows the statement, such as a "# type: ignore", stays.
            line = lines[node.lineno - 1].encode()
            lines[node.lineno - 1] = rewritten + line[node.end_col_offset :].decode()
    return "\n".join(lines)


def _relative(node: ast.Import | ast.ImportFrom, dots: str, compiled: Set[str]) -> str | None:
    name = node.names[0]
    alias = f" as {name.asname}" if name.asname else ""
    if isinstance(node, ast.Import):
        package, _, base = name.name.rpartition(".")
        return f"from {dots}{package} import {base}{alias}" if name.name in compiled else None
    if node.level == 0 and (node.module in compiled or f"{node.module}.{name.name}" in compiled):
        return f"from {dots}{node.module} import {name.name}{alias}"
    return None
