"""Reads metrics as Prometheus does, with prometheus-client's own parsers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from tests.support.serving import Served

LIMIT = 20.0

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def get(url: str, **headers: str) -> tuple[int, str, str]:
    """Ask for a page: the status, the content type and the text."""
    request = Request(url, headers=headers)
    try:
        with urlopen(request, timeout=LIMIT) as answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read().decode()


def scrape(url: str, accept: str = "text/plain") -> list[Sample]:
    """The samples of a page, by the parser of its format."""
    status, content_type, text = get(url, Accept=accept)
    assert status == 200, text
    parse = parse_openmetrics if content_type.startswith("application/openmetrics-text") else parse_text
    return [sample for family in parse(text) for sample in family.samples]


class Metrics:
    """The metrics of a server at a moment.

    Args:
        served: the server.
    """

    def __init__(self, served: Served) -> None:
        base = served.endpoints.get("admin") or served.endpoints["http"].removesuffix("/mcp")
        self.samples = [sample for sample in scrape(f"{base}/metrics") if sample.name.startswith("plugin_")]

    def find(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples with a name, and with these labels among theirs."""
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def value(self, name: str, **labels: str) -> float:
        """The sum of these samples; 0 when there is none."""
        return sum(sample.value for sample in self.find(name, **labels))

    def calls(self, transport: str) -> dict[tuple[str, str, str], float]:
        """How many calls there were by plugin, hook and outcome."""
        return {
            (sample.labels["plugin"], sample.labels["hook"], sample.labels["outcome"]): sample.value
            for sample in self.find("plugin_calls_total", transport=transport)
        }
