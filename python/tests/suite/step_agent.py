"""An agent that clocks tell of steps: a socket, and what came through it."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path


class Agent:
    """Listens at a path, and reads what each connection tells, until it is closed. It never writes."""

    def __init__(self, path: Path, reads: bool = True) -> None:
        self.path = path
        self.connections: list[Connection] = []
        self._reads = reads
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(Connection(connection))
            if self._reads:
                threading.Thread(target=self.connections[-1].read, daemon=True).start()

    def connection(self, number: int = 0) -> Connection:
        """A connection, waited for."""
        wait_until(lambda: len(self.connections) > number)
        return self.connections[number]

    def close(self) -> None:
        """As where the agent is killed: its connections break, and its socket stays."""
        # Else the thread that accepts would hold it open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.close()


class Connection:
    """What one process told."""

    def __init__(self, held: socket.socket) -> None:
        self._socket = held
        self.lines: list[str] = []
        self.is_over = threading.Event()

    def read(self) -> None:
        rest = b""
        while True:
            try:
                piece = self._socket.recv(1 << 16)
            except OSError:
                piece = b""
            *whole, rest = (rest + piece).split(b"\n")
            self.lines += [line.decode() for line in whole]
            assert all(len(line) < 4096 for line in whole)
            if not piece:
                self.is_over.set()
                return

    def told(self, word: str) -> list[dict[str, str]]:
        """The fields of lines that begin with that word; its number is `number`."""
        found = []
        for line in list(self.lines):
            first, *fields = line.split(" ")
            if first == word:
                pairs = [field.split("=") if "=" in field else ("number", field) for field in fields]
                found.append(dict(pairs))
        return found

    def steps(self, count: int) -> list[dict[str, int]]:
        """So many steps, waited for, in numbers."""
        wait_until(lambda: len(self.told("step")) >= count)
        return [{key: int(value) for key, value in step.items()} for step in self.told("step")]

    def stop_writing(self) -> None:
        """Closes its own way of the connection, and goes on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


def wait_until(is_so, seconds: float = 60) -> None:
    """Waits for something that is to become so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def open_sockets() -> int:
    """Sockets that this process holds."""
    held = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            held += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
        except OSError:
            pass
    return held
