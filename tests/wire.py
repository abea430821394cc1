"""A wire between 小二 and its database server, which a test can cut where it likes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

from tests.postgres import Server


class Wire:
    """`with Wire(server) as wire:`, and connect to `wire.url(database)`.

    `cut` names a word of the client's at which the wire breaks, once: `before` the server hears it,
    `after` it has answered, or `silent`: the server hears neither the word nor that the client is gone.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._lines: list[_Line] = []
        self._word, self._how = b"", ""
        self.cuts = 0

    def url(self, database: str) -> str:
        here = f"host=127.0.0.1&port={self.port}&sslmode=disable&gssencmode=disable"
        return f"{self._server.url(database)}&{here}"

    def cut(self, how: str, word: str = "COMMIT") -> None:
        self._word, self._how = word.encode(), how

    def down(self) -> None:
        """Nobody gets through, and who is connected is cut off."""
        # What is blocked in accept is woken by a shutdown, not by a close.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for line in self._lines:
            line.close()
        self._lines.clear()

    def up(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def heard(self, said: bytes) -> str:
        """How the wire breaks at what a client said; '' when it holds."""
        if not self._word or self._word not in said:
            return ""
        self._word = b""
        self.cuts += 1
        return self._how

    def __enter__(self) -> Self:
        self._listening.close()
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                self._lines.append(_Line(self, near, self._server.socket()))


class _Line:
    """One connection."""

    def __init__(self, wire: Wire, near: socket.socket, far: socket.socket) -> None:
        self._wire, self._near, self._far = wire, near, far
        self._deaf = False
        for one in (self._there, self._back):
            threading.Thread(target=one, daemon=True).start()

    def close(self) -> None:
        for end in (self._near, self._far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _there(self) -> None:
        with suppress(OSError):
            while said := self._near.recv(65536):
                match self._wire.heard(said):
                    case "before":
                        break
                    case "after":
                        self._deaf = True
                    case "silent":
                        self._near.shutdown(socket.SHUT_RDWR)
                        return
                self._far.sendall(said)
        self.close()

    def _back(self) -> None:
        with suppress(OSError):
            while (said := self._far.recv(65536)) and not self._deaf:
                self._near.sendall(said)
        self.close()
