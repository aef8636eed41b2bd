"""JSON requests as an application reads them: checked headers, and a body that is never larger than allowed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from .responses import HttpError, Receive, Scope
from .security import CHECKED, CONTENT_LENGTH, Headers, check_media_types, pick_headers

Check = Callable[[Headers], None]
"""Raises HttpError for a request that is not let in."""


class JsonRequestReader:
    """Reads requests with a JSON body, for any number of ASGI applications.

    Args:
        max_body_bytes: the largest body that is read.
        checks: judge the headers of each request.
        wanted_headers: the names of the headers that the checks and the applications read, in lower case.
        limit_name: the setting behind `max_body_bytes`, for the error's text.
    """

    def __init__(
        self,
        max_body_bytes: int,
        checks: Sequence[Check] = (),
        wanted_headers: Collection[bytes] = CHECKED,
        limit_name: str = "",
    ) -> None:
        self._limit = max_body_bytes
        self._checks = checks
        self._wanted = wanted_headers
        name = f" ({limit_name})" if limit_name else ""
        self._too_large = f"the body is larger than {max_body_bytes} bytes{name}"

    def headers(self, scope: Scope) -> Headers:
        """The headers of a request without a body, when it is let in.

        Raises:
            HttpError: a check refuses it, or a header that may stand once stands twice.
        """
        headers = pick_headers(scope, self._wanted)
        for check in self._checks:
            check(headers)
        return headers

    async def read(self, scope: Scope, receive: Receive) -> tuple[Headers, bytes] | None:
        """Check a request and read its body.

        Returns:
            Its headers and its body; None when the client is gone.

        Raises:
            HttpError: the request is refused, is no JSON, or its body is too large.
        """
        headers = pick_headers(scope, self._wanted)
        for check in self._checks:
            check(headers)
        check_media_types(headers)
        if int(headers.get(CONTENT_LENGTH, b"0")) > self._limit:
            raise HttpError(413, self._too_large)
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            parts = [body]
            size = len(body)
            while message.get("more_body"):
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > self._limit:
                    raise HttpError(413, self._too_large)
            body = b"".join(parts)
        if len(body) > self._limit:
            raise HttpError(413, self._too_large)
        return headers, body
