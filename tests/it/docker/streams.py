"""Speaks through a relay: a websocket's text, and a large body each way."""

import hashlib
import http
import http.client
import os
import socket
import sys

host, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PIECE = 100_000


def body():
    """Pieces with their numbers, as the test's own."""
    same = bytes(at % 251 for at in range(8, PIECE))
    for number in range(size // PIECE):
        yield number.to_bytes(8, "big") + same


def echo(text):
    """Sends one masked text frame and returns what comes back (RFC 6455)."""
    with socket.create_connection((host, port), timeout=30) as stream:
        stream.sendall(
            b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        answer = stream.makefile("rb")
        status = answer.readline()
        assert status.startswith(b"HTTP/1.1 101"), status
        while answer.readline() != b"\r\n":
            pass
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(text.encode()))
        stream.sendall(bytes([0x81, 0x80 | len(masked)]) + mask + masked)
        kind, length = answer.read(2)
        assert kind == 0x81, kind
        return answer.read(length).decode()


class Response(http.client.HTTPResponse):
    """An answer without those that precede it, of which http.client knows 100 only."""

    def _read_status(self):
        version, status, reason = super()._read_status()
        while status == http.HTTPStatus.PROCESSING:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()
        return version, status, reason


def connect():
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.response_class = Response
    return connection


def up():
    connection = connect()
    connection.request("POST", "/up", body(), {"Content-Length": str(size)})
    return connection.getresponse().read().decode()


def down():
    connection = connect()
    connection.request("GET", f"/down/{size}")
    answer, digest = connection.getresponse(), hashlib.sha256()
    while piece := answer.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


print("echo:", echo("hello through the relay"))
print("up:", up())
print("down:", down())
