"""A connection on httptools, which calls the protocol for each piece of a request that it has read."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Any
from urllib.parse import unquote

import httptools

from .connection import BODY, HEADERS, LimitedConnection
from .exchange import RequestResponseCycle
from .responses import Scope


class HttptoolsConnection(LimitedConnection):
    """A connection whose requests are carried by RequestResponseCycle.

    Attributes:
        cycle: the request that was begun last.
        pipeline: requests that wait for the answer to an earlier one.
    """

    cycle: Any
    pipeline: deque[Any]

    def on_message_begin(self) -> None:
        """A request has begun."""
        self.part, self.due = HEADERS, 0.0
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """The headers are there: begin with the request, if they are not too large."""
        if self.loose > self.policy.limits.header_bytes and self._head_size() > self.policy.limits.header_bytes:
            self.refuse_headers()
            raise ValueError("the headers are too large")
        self.loose = 0
        self.part, self.due = BODY, 0.0
        keep_alive = self.parser.should_keep_alive()
        free = self._answered()
        self.cycle = RequestResponseCycle(self, self._scope(), keep_alive, self.expect_100_continue)
        if free:
            self._run(self.cycle)
        else:
            # Requests of one connection are answered one after the other; further ones are not read meanwhile.
            self.flow.pause_reading()
            self.pipeline.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.loose = 0
        if not self.cycle.response_complete:
            self.cycle.feed(body)

    def on_message_complete(self) -> None:
        """The whole request is there."""
        self.loose = 0
        self.part = None
        self.due = inf
        self.cycle.feed_end()
        if self.cycle.response_complete:
            self._wait()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._run(self.pipeline.popleft())
            return
        self.flow.resume_reading()
        if self.part is None:
            self._wait()

    def _wait(self) -> None:
        """Give the client time until its next request."""
        self.due = self.loop.time() + self.policy.limits.idle

    def _scope(self) -> Scope:
        path, query = self.url, b""
        if b"?" in path or not path.startswith(b"/"):
            parsed = httptools.parse_url(path)
            path, query = parsed.path or b"/", parsed.query or b""
        return {
            "type": "http",
            "method": self.parser.get_method().decode("ascii"),
            "path": unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii"),
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state,
        }

    def _run(self, exchange: RequestResponseCycle) -> None:
        exchange.task = self.loop.create_task(exchange.run(self.app))
        self.tasks.add(exchange.task)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
