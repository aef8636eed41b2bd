"""Tables of HPACK (RFC 7541): the static table of fields, and the Huffman code with its decoder."""

from __future__ import annotations

from functools import cache

_STATIC_FIELDS = """
:authority
:method = GET
:method = POST
:path = /
:path = /index.html
:scheme = http
:scheme = https
:status = 200
:status = 204
:status = 206
:status = 304
:status = 400
:status = 404
:status = 500
accept-charset
accept-encoding = gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""

_LINES = (line.partition(" = ") for line in _STATIC_FIELDS.strip().splitlines())
STATIC: tuple[tuple[bytes, bytes], ...] = tuple((name.encode(), value.encode()) for name, _, value in _LINES)
"""The static table (appendix A): the fields in their order; the first has the index 1."""

# The length of each symbol's Huffman code (appendix B), 256 being the end of the string. The code is canonical, so the
# lengths tell it all: among codes of one length the symbols ascend.
_CODE_LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c060a0a0c0d06080b0a0a080b080606060505"
    "050606060606060607080f060c0a0d06070707070707070707070707070707070707070707070807080d130d0e060f050605"
    "06050606060507070606060506070605050607070707070f0b0e0d1c14161414161616171617171717171817181816171817"
    "1717171516171617171816151416161717151716161815161717151516151716171714161616171616171a1a141316171619"
    "1a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c"
    "1b1b1b1b1b1a1e"
)
_END_OF_STRING = 256
_MAX_PADDING_BITS = 8


def huffman_decode(data: bytes) -> bytes:
    """Decode a Huffman-coded string, four bits at a time.

    Raises:
        ValueError: the bytes are no such string.
    """
    table = _table()
    decoded = bytearray()
    state, may_end = 0, True
    for byte in data:
        for half in (byte >> 4, byte & 15):
            step = table[state][half]
            if step is None:
                raise ValueError("a Huffman code that does not exist")
            state, symbols, may_end = step
            decoded += symbols
    if not may_end:
        raise ValueError("a Huffman code that is cut off")
    return bytes(decoded)


@cache
def _table() -> list[list[tuple[int, bytes, bool] | None]]:
    """For each state and four bits: the next state, the symbols that became whole, whether the string may end there."""
    nodes, may_end = _tree()
    table: list[list[tuple[int, bytes, bool] | None]] = []
    for start in range(len(nodes)):
        row: list[tuple[int, bytes, bool] | None] = []
        for half in range(16):
            state, symbols = start, b""
            for bit in (half >> 3 & 1, half >> 2 & 1, half >> 1 & 1, half & 1):
                found = nodes[state][bit]
                if found >= 0:
                    state = found
                elif ~found == _END_OF_STRING:
                    row.append(None)
                    break
                else:
                    state, symbols = 0, symbols + bytes([~found])
            else:
                row.append((state, symbols, may_end[state]))
        table.append(row)
    return table


def _tree() -> tuple[list[list[int]], list[bool]]:
    """The nodes of the code's tree (a symbol stands inverted), and those at which a string may end: padding is ones."""
    nodes = [[0, 0]]
    code = length = 0
    for symbol in sorted(range(len(_CODE_LENGTHS)), key=lambda item: (_CODE_LENGTHS[item], item)):
        code <<= _CODE_LENGTHS[symbol] - length
        length = _CODE_LENGTHS[symbol]
        node = 0
        for shift in range(length - 1, 0, -1):
            bit = code >> shift & 1
            if nodes[node][bit] == 0:
                nodes.append([0, 0])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][code & 1] = ~symbol
        code += 1
    may_end = [False] * len(nodes)
    node = 0
    for _ in range(_MAX_PADDING_BITS):
        may_end[node] = True
        node = nodes[node][1]
    return nodes, may_end
