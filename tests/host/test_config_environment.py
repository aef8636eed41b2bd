"""`{{ env.NAME }}` in the configuration file: expanded as gateways do in theirs, and never left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plugsmith_runtime.errors import StartError
from plugsmith_runtime.host.config import load_config_file

FILE = """
# {{{{ env.NOT_LOOKED_AT }}}}
plugins:
  - name: A
    kind: a.b.C
    hooks: [tool_pre_invoke]
    config:
      value: {value}
"""


def read(folder: Path, value: str) -> Any:
    path = folder / "config.yaml"
    path.write_text(FILE.format(value=value))
    config = load_config_file(path).plugins[0].config
    assert config is not None
    return config["value"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"{{ env.MASK }}"', "***"),
        ("'{{env[\"MASK\"]}} and {{ env.MASK }}'", "*** and ***"),
        ("{{ env.COUNT }}", 5),
        ("{{ env.GONE | default('x') }}", "x"),
        ('"{{ env.EMPTY }}"', ""),
        ('"{{ other }} {% raw %}"', "{{ other }} {% raw %}"),
    ],
)
def test_variables_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, expected: Any) -> None:
    for name, value in {"MASK": "***", "COUNT": "5", "EMPTY": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GONE", raising=False)
    assert read(tmp_path, written) == expected


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (
            '"{{ env.GONE }}"',
            "config.yaml: line 8: the environment variable GONE is not set; set it, or give a default",
        ),
        ('"{{ env.MASK | upper }}"', "line 8: {{ env.MASK | upper }} cannot be expanded; write {{ env.NAME }}"),
    ],
)
def test_what_cannot_be_expanded_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, text: str
) -> None:
    monkeypatch.setenv("MASK", "***")
    monkeypatch.delenv("GONE", raising=False)
    with pytest.raises(StartError) as caught:
        read(tmp_path, written)
    assert text in str(caught.value)
