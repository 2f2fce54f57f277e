"""Unary gRPC calls over HTTP/2 with frames written by hand. A call costs some 20 us of processor time.

grpc's own Python client costs as much as a server, so a load generator with it would measure itself. This client does
only what a load generator needs: of a response it reads the size, the final grpc-status and the time that a refused
caller should wait, and nothing else. Servers and proxies may pack strings by the code of HPACK, as Envoy does.
"""

import functools
import socket
from dataclasses import dataclass

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_FRAME_HEADER = 9
STREAMS = 900  # of one connection; Envoy permits 1,000, and resets a connection with more
_LARGEST_WINDOW = 2**31 - 1
_PACKED = 0x80


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one call.

    Attributes:
        stream: That of the call.
        status: The grpc-status, or "" if the server reset the call. Of a call over HTTP/1.1, "0" or the status of HTTP.
        size: Bytes of DATA frames, or of the body.
        pause_seconds: How long a refused caller should wait (`grpc-retry-pushback-ms`). 0: the server does not say.
    """

    stream: int
    status: str
    size: int
    pause_seconds: float = 0.0


class Connection:
    """One connection. Its calls are numbered by their stream.

    It can receive 2 GB in total, because the server gets a window of that size at the start and no other. Requests must
    be small: the windows of the server are assumed to be never full.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._authority = f"127.0.0.1:{port}".encode()
        self._request_headers: dict[str, bytes] = {}
        self._next_stream = 1
        self._sizes: dict[int, int] = {}
        self._received = b""
        # Without a dynamic table for headers, every block can be read on its own.
        settings = b"\x00\x01" + bytes(4) + b"\x00\x04" + _LARGEST_WINDOW.to_bytes(4, "big")
        self._unsent = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            _frame(_SETTINGS, 0, 0, settings),
            _frame(8, 0, 0, (_LARGEST_WINDOW - 65_535).to_bytes(4, "big")),
        ]

    @property
    def has_room(self) -> bool:
        """Whether the server takes one more call before another ends."""
        return len(self._sizes) < STREAMS

    def call(self, path: str, message: bytes) -> int:
        """Queues a call, which `flush` sends, and returns its stream."""
        stream = self._next_stream
        self._next_stream += 2
        headers = self._request_headers.get(path)
        if headers is None:
            headers = self._request_headers[path] = _request_headers(path.encode(), self._authority)
        body = b"\x00" + len(message).to_bytes(4, "big") + message
        self._unsent += (_frame(_HEADERS, _END_HEADERS, stream, headers), _frame(_DATA, _END_STREAM, stream, body))
        self._sizes[stream] = 0
        return stream

    def flush(self) -> None:
        """Sends the queued calls."""
        if self._unsent:
            self.socket.sendall(b"".join(self._unsent))
            self._unsent.clear()

    def answers(self) -> list[Answer]:
        """Reads once, and returns the calls that ended. Raises ConnectionError if the server closes the connection."""
        read = self.socket.recv(262_144)
        if not read:
            raise ConnectionError("the server closed the connection")
        data = self._received + read
        ended, start = [], 0
        while len(data) - start >= _FRAME_HEADER:
            size = int.from_bytes(data[start : start + 3], "big")
            after = start + _FRAME_HEADER + size
            if after > len(data):
                break
            kind, flags = data[start + 3], data[start + 4]
            stream = int.from_bytes(data[start + 5 : start + 9], "big")
            if kind == _DATA:
                self._sizes[stream] += size
            elif kind == _HEADERS and flags & _END_STREAM:
                trailers = data[start + _FRAME_HEADER : after]
                status = _value(trailers, _STATUS)
                pause = 0.0 if status == "0" else int(_value(trailers, _PAUSE) or 0) / 1_000
                ended.append(Answer(stream, status, self._sizes.pop(stream), pause))
            elif kind == _RST_STREAM:
                # gRPC servers also send this after a complete answer.
                if stream in self._sizes:
                    ended.append(Answer(stream, "", self._sizes.pop(stream)))
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                payload = data[start + _FRAME_HEADER : after] if kind == _PING else b""
                self._unsent.append(_frame(kind, _ACK, 0, payload))
            elif kind == _GOAWAY:
                raise ConnectionError("the server closes the connection")
            start = after
        self._received = data[start:]
        return ended

    def close(self) -> None:
        self.socket.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _request_headers(path: bytes, authority: bytes) -> bytes:
    """Headers by RFC 7541: names from the static table where possible, plain values, nothing indexed."""
    if max(len(path), len(authority)) > 126:
        raise ValueError("a longer path needs more than one byte for its length")
    parts = [b"\x83\x86", b"\x04", _string(path), b"\x01", _string(authority)]  # POST, http, :path, :authority
    parts += [b"\x0f\x10", _string(b"application/grpc"), b"\x00", _string(b"te"), _string(b"trailers")]
    return b"".join(parts)


def _string(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def _names(name: bytes) -> tuple[bytes, bytes]:
    """Returns a name of a header as it can stand in a block: plain and packed, each behind its length."""
    packed = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(name)
    return _string(name), bytes((_PACKED | len(packed),)) + packed


_STATUS = _names(b"grpc-status")
_PAUSE = _names(b"grpc-retry-pushback-ms")


def _value(block: bytes, names: tuple[bytes, bytes]) -> str:
    """Returns the value of a header, or "" where the block does not have it. Values have at most 126 bytes."""
    for name in names:
        at = block.find(name)
        if at >= 0:
            at += len(name)
            size = block[at] & ~_PACKED
            value = block[at + 1 : at + 1 + size]
            return _unpacked(value) if block[at] & _PACKED else value.decode("ascii", "replace")
    return ""


@functools.cache
def _unpacked(value: bytes) -> str:
    return decode_huffman(value).decode("ascii", "replace")
