"""JSON-RPC 2.0 messages: the envelope of requests, and how answers, errors and notifications are written."""

from __future__ import annotations

from typing import Any

from ..errors import PlugsmithError
from ..exact_json import InvalidJsonError, dumps, loads

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022
# Of our own, in the range that JSON-RPC leaves to servers.
OVERLOADED = -32053

RequestId = int | str


class JsonRpcError(PlugsmithError):
    """A message that is answered by a JSON-RPC error.

    Args:
        code: the JSON-RPC error code.
        message: what is wrong, for people.
        data: more for programs.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class McpError(PlugsmithError, ConnectionError):
    """The server answered with a protocol error, or with something that is no MCP.

    Args:
        text: what the server said.
        error: the protocol error's code and data, when it was one.
    """

    def __init__(self, text: str, error: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.error = error or {}

    @property
    def code(self) -> int | None:
        """The JSON-RPC error code, when it was a protocol error."""
        return self.error.get("code")


def decode(data: bytes) -> Any:
    """Read one message.

    Raises:
        JsonRpcError: the bytes are no JSON.
    """
    try:
        return loads(data)
    except InvalidJsonError as error:
        raise JsonRpcError(PARSE_ERROR, f"the message is not valid JSON: {error}") from None


def result_head(request_id: RequestId) -> bytes:
    """The bytes of an answer up to its result."""
    if type(request_id) is int:
        return b'{"jsonrpc":"2.0","id":%d,"result":' % request_id
    return b'{"jsonrpc":"2.0","id":%b,"result":' % dumps(request_id)


def error_message(request_id: RequestId | None, refusal: JsonRpcError) -> bytes:
    """The bytes of an error's answer.

    Args:
        request_id: the request's id, None when it could not be read.
        refusal: what is wrong.
    """
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.data is not None:
        error["data"] = refusal.data
    return dumps({"jsonrpc": "2.0", "id": request_id, "error": error})


def read_result(method: str, answer: Any) -> dict[str, Any]:
    """The result in a decoded answer.

    Args:
        method: the method of the request, for the error's text.
        answer: what the server sent.

    Raises:
        McpError: it is an error, or no answer at all.
    """
    if isinstance(answer, dict) and isinstance(answer.get("result"), dict):
        result: dict[str, Any] = answer["result"]
        return result
    error = answer.get("error") if isinstance(answer, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    raise McpError(f"{method}: {text or 'the answer is no MCP'}", error if isinstance(error, dict) else None)


def notification(method: str, params: dict[str, Any] | None = None) -> bytes:
    """The bytes of a notification.

    Raises:
        EncodeError: a value of the params has no JSON form.
    """
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        message["params"] = params
    return dumps(message)


def readable_id(message: Any) -> RequestId | None:
    """The id of a message that may be anything; None when it has none that an answer can carry."""
    request_id = message.get("id") if type(message) is dict else None
    return request_id if type(request_id) in (int, str) else None


def check_envelope(message: Any) -> bool:
    """Check the envelope of one message, and tell whether it is a request that wants an answer.

    Returns:
        False for a notification, and for an answer of the client (this server asks nothing).

    Raises:
        JsonRpcError: the message is no JSON-RPC 2.0 message.
    """
    if type(message) is not dict:
        raise JsonRpcError(INVALID_REQUEST, "a message must be a JSON object")
    if message.get("jsonrpc") != "2.0":
        raise JsonRpcError(INVALID_REQUEST, 'the member "jsonrpc" must be "2.0"')
    if "method" not in message:
        if "id" in message and ("result" in message or "error" in message):
            return False
        raise JsonRpcError(INVALID_REQUEST, 'the member "method" is missing')
    if type(message["method"]) is not str:
        raise JsonRpcError(INVALID_REQUEST, 'the member "method" must be a string')
    if "id" not in message:
        return False
    if type(message["id"]) not in (int, str):
        raise JsonRpcError(INVALID_REQUEST, 'the member "id" must be a string or an integer')
    if type(message.get("params", {})) is not dict:
        raise JsonRpcError(INVALID_PARAMS, 'the member "params" must be an object')
    return True
