"""HPACK (RFC 7541): a decoder with the dynamic table, and an encoder that does without."""

from __future__ import annotations

from collections import deque

from ..errors import PlugsmithError
from .frames import ErrorCode, ProtocolError
from .hpack_tables import STATIC, huffman_decode

Fields = dict[bytes, bytes]

MAX_TABLE_BYTES = 4096
"""The dynamic table that the peer may use: the protocol's default, so that it need not be announced."""
_ENTRY_OVERHEAD_BYTES = 32
_CACHED_BLOCKS = 64
_CACHED_BLOCK_BYTES = 1024
_INTEGER_BYTES = 5


class HeaderListTooLargeError(PlugsmithError):
    """Fields above the limit; the dynamic table has followed them all the same, so that the connection can go on."""


class Decoder:
    """Decoder of one connection's header blocks, in their order.

    Args:
        max_list_bytes: the largest fields of one block, as section 4.1 counts them.
    """

    def __init__(self, max_list_bytes: int) -> None:
        self._max_list_bytes = max_list_bytes
        self._table: deque[tuple[bytes, bytes]] = deque()
        self._table_bytes = 0
        self._max_table_bytes = MAX_TABLE_BYTES
        # Peers repeat themselves: what a block means stays the same while the table does.
        self._cache: dict[bytes, Fields] = {}
        self._table_changed = False

    def decode(self, block: bytes) -> Fields:
        """Decode a block.

        Returns:
            The fields by name; the values of a name that comes again are joined by commas. Not to be changed.

        Raises:
            ProtocolError: the block is not HPACK: no later one can be read either.
            HeaderListTooLargeError: the fields are too large, which concerns this block only.
        """
        cached = self._cache.get(block)
        if cached is not None:
            return cached
        self._table_changed = False
        try:
            fields = self._decode(block)
        except (IndexError, ValueError) as error:
            raise ProtocolError(ErrorCode.COMPRESSION_ERROR, f"header fields that cannot be read: {error}") from None
        finally:
            if self._table_changed or len(self._cache) >= _CACHED_BLOCKS:
                self._cache.clear()
        if not self._table_changed and len(block) <= _CACHED_BLOCK_BYTES:
            self._cache[block] = fields
        return fields

    def _decode(self, block: bytes) -> Fields:
        fields: Fields = {}
        size = position = 0
        while position < len(block):
            first = block[position]
            if first & 0x80:
                index, position = _integer(block, position, 7)
                name, value = self._field(index)
            elif first & 0x40:
                name, value, position = self._literal(block, position, 6)
                self._insert(name, value)
            elif first & 0x20:
                table_bytes, position = _integer(block, position, 5)
                if fields or table_bytes > MAX_TABLE_BYTES:
                    raise ValueError("a table size that is not allowed")
                self._resize(table_bytes)
                continue
            else:
                name, value, position = self._literal(block, position, 4)
            size += len(name) + len(value) + _ENTRY_OVERHEAD_BYTES
            if size <= self._max_list_bytes:
                fields[name] = value if name not in fields else fields[name] + b"," + value
        if size > self._max_list_bytes:
            raise HeaderListTooLargeError
        return fields

    def _literal(self, block: bytes, position: int, bits: int) -> tuple[bytes, bytes, int]:
        index, position = _integer(block, position, bits)
        if index:
            name = self._field(index)[0]
        else:
            name, position = _string(block, position)
        value, position = _string(block, position)
        return name, value, position

    def _field(self, index: int) -> tuple[bytes, bytes]:
        if index == 0:
            raise ValueError("the index 0")
        return STATIC[index - 1] if index <= len(STATIC) else self._table[index - len(STATIC) - 1]

    def _insert(self, name: bytes, value: bytes) -> None:
        self._table_changed = True
        self._table.appendleft((name, value))
        self._table_bytes += len(name) + len(value) + _ENTRY_OVERHEAD_BYTES
        self._evict()

    def _resize(self, table_bytes: int) -> None:
        self._table_changed = True
        self._max_table_bytes = table_bytes
        self._evict()

    def _evict(self) -> None:
        while self._table_bytes > self._max_table_bytes:
            name, value = self._table.pop()
            self._table_bytes -= len(name) + len(value) + _ENTRY_OVERHEAD_BYTES


def encode(*fields: tuple[bytes, bytes]) -> bytes:
    """Encode fields without the dynamic table: the block means the same on every connection."""
    return b"".join(b"\x10" + _length(name) + name + _length(value) + value for name, value in fields)


def _length(text: bytes) -> bytes:
    size = len(text)
    if size < 127:
        return bytes([size])
    encoded = bytearray([127])
    size -= 127
    while size >= 128:
        encoded.append(size & 127 | 128)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def _integer(block: bytes, position: int, bits: int) -> tuple[int, int]:
    mask = (1 << bits) - 1
    value = block[position] & mask
    position += 1
    if value < mask:
        return value, position
    for shift in range(0, 7 * _INTEGER_BYTES, 7):
        byte = block[position]
        position += 1
        value += (byte & 127) << shift
        if not byte & 128:
            return value, position
    raise ValueError("a number without end")


def _string(block: bytes, position: int) -> tuple[bytes, int]:
    coded = block[position] & 0x80
    size, start = _integer(block, position, 7)
    text = block[start : start + size]
    if len(text) < size:
        raise ValueError("a string that is cut off")
    return (huffman_decode(text) if coded else text), start + size
