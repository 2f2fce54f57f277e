"""GET over HTTP/1.1 with keep-alive, for servers that do not speak gRPC. A call costs some 20 us of processor time.

h11, the parser in pure Python, costs as much as a server's own work. This client reads only the status and the length
of the body, which is enough to measure load.
"""

import re
import socket

from tests.benchmarks.http2_calls import Answer

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_STATUS = slice(9, 12)  # of "HTTP/1.1 200 OK"


class Connection:
    """One connection, with one call at a time: servers answer pipelined calls in sequence, and no client sends them."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._calls = 0
        self._unsent = b""
        self._received = b""
        self.has_room = True

    def call(self, path: str, message: bytes) -> int:
        """Queues a GET, which `flush` sends, and returns the number of the call.

        Raises:
            ValueError: There is a message, which GET cannot carry, or the call before is not answered.
        """
        if message or not self.has_room:
            raise ValueError("a connection sends one GET at a time, without a body")
        self.has_room = False
        self._calls += 1
        self._unsent = b"GET " + path.encode() + self._headers
        return self._calls

    def flush(self) -> None:
        """Sends the queued call."""
        if self._unsent:
            self.socket.sendall(self._unsent)
            self._unsent = b""

    def answers(self) -> list[Answer]:
        """Reads once, and returns the call if it ended.

        Raises:
            ConnectionError: The server closes the connection, or answers without the length of the body.
        """
        read = self.socket.recv(262_144)
        if not read:
            raise ConnectionError("the server closed the connection")
        self._received += read
        head, end_of_head, body = self._received.partition(_END_OF_HEAD)
        if not end_of_head:
            return []
        length = _CONTENT_LENGTH.search(head)
        if length is None:
            raise ConnectionError("the server answered without content-length")
        size = int(length[1])
        if len(body) < size:
            return []
        self._received = b""
        self.has_room = True
        status = head[_STATUS].decode("ascii", "replace")
        return [Answer(self._calls, "0" if status == "200" else status, size)]

    def close(self) -> None:
        self.socket.close()
