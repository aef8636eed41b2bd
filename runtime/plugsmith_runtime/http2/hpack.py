"""HPACK (RFC 7541): the fields of a request are read, those of an answer are written without the dynamic table."""

from __future__ import annotations

from collections import deque

from ..errors import PlugsmithError
from . import huffman
from .frames import ErrorCode, ProtocolError
from .static_table import STATIC

Fields = dict[bytes, bytes]

TABLE_SIZE = 4096
"""Bytes of the dynamic table that a client may use: the protocol's default, so that it need not be announced."""
_OVERHEAD = 32
_REMEMBERED = 64
_MEMORABLE = 1024
_INTEGER_BYTES = 5


class HeaderListTooLargeError(PlugsmithError):
    """The fields are larger than the server reads; those that count for the connection were read all the same."""


class Decoder:
    """Reads the header blocks of one connection, in their order.

    Args:
        limit: the largest fields of a request, in bytes as HPACK counts them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._table: deque[tuple[bytes, bytes]] = deque()
        self._used = 0
        self._most = TABLE_SIZE
        # Clients repeat themselves: what a block means stays the same while the table does.
        self._known: dict[bytes, Fields] = {}
        self._changed = False

    def decode(self, block: bytes) -> Fields:
        """Read a block.

        Returns:
            The fields by name; the values of a name that comes again are joined by commas. Not to be changed.

        Raises:
            ProtocolError: the block is not HPACK: no later one can be read either.
            HeaderListTooLargeError: the fields are too large, which concerns this block only.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        self._changed = False
        try:
            fields = self._read(block)
        except (IndexError, ValueError) as error:
            raise ProtocolError(ErrorCode.COMPRESSION_ERROR, f"header fields that cannot be read: {error}") from None
        finally:
            if self._changed or len(self._known) >= _REMEMBERED:
                self._known.clear()
        if not self._changed and len(block) <= _MEMORABLE:
            self._known[block] = fields
        return fields

    def _read(self, block: bytes) -> Fields:
        fields: Fields = {}
        size = place = 0
        while place < len(block):
            first = block[place]
            if first & 0x80:
                index, place = _integer(block, place, 7)
                name, value = self._field(index)
            elif first & 0x40:
                name, value, place = self._literal(block, place, 6)
                self._insert(name, value)
            elif first & 0x20:
                most, place = _integer(block, place, 5)
                if fields or most > TABLE_SIZE:
                    raise ValueError("a table size that is not allowed")
                self._resize(most)
                continue
            else:
                name, value, place = self._literal(block, place, 4)
            size += len(name) + len(value) + _OVERHEAD
            if size <= self._limit:
                fields[name] = value if name not in fields else fields[name] + b"," + value
        if size > self._limit:
            raise HeaderListTooLargeError
        return fields

    def _literal(self, block: bytes, place: int, bits: int) -> tuple[bytes, bytes, int]:
        index, place = _integer(block, place, bits)
        if index:
            name = self._field(index)[0]
        else:
            name, place = _string(block, place)
        value, place = _string(block, place)
        return name, value, place

    def _field(self, index: int) -> tuple[bytes, bytes]:
        if index == 0:
            raise ValueError("the index 0")
        return STATIC[index - 1] if index <= len(STATIC) else self._table[index - len(STATIC) - 1]

    def _insert(self, name: bytes, value: bytes) -> None:
        self._changed = True
        self._table.appendleft((name, value))
        self._used += len(name) + len(value) + _OVERHEAD
        self._evict()

    def _resize(self, most: int) -> None:
        self._changed = True
        self._most = most
        self._evict()

    def _evict(self) -> None:
        while self._used > self._most:
            name, value = self._table.pop()
            self._used -= len(name) + len(value) + _OVERHEAD


def encode(*fields: tuple[bytes, bytes]) -> bytes:
    """Write fields, each by itself: the bytes mean the same on every connection."""
    return b"".join(b"\x10" + _length(name) + name + _length(value) + value for name, value in fields)


def _length(text: bytes) -> bytes:
    size = len(text)
    if size < 127:
        return bytes([size])
    written = bytearray([127])
    size -= 127
    while size >= 128:
        written.append(size & 127 | 128)
        size >>= 7
    written.append(size)
    return bytes(written)


def _integer(block: bytes, place: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value = block[place] & most
    place += 1
    if value < most:
        return value, place
    for shift in range(0, 7 * _INTEGER_BYTES, 7):
        byte = block[place]
        place += 1
        value += (byte & 127) << shift
        if not byte & 128:
            return value, place
    raise ValueError("a number without end")


def _string(block: bytes, place: int) -> tuple[bytes, int]:
    coded = block[place] & 0x80
    size, start = _integer(block, place, 7)
    text = block[start : start + size]
    if len(text) < size:
        raise ValueError("a string that is cut off")
    return (huffman.decode(text) if coded else text), start + size
