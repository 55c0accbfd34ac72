"""A way to the database that is cut at a COMMIT: before it arrives, or before its answer is back."""

import select
import socket
import threading
from contextlib import suppress

BEFORE, AFTER = "before", "after"


class Cutter:
    """Listens on a free port and passes everything on, until the `at`-th COMMIT after `arm`.

    Cut before: the server never sees the COMMIT and rolls back. Cut after: it has committed, and
    whoever asked for it never learns so.
    """

    def __init__(self, server: int) -> None:
        self.server = server
        self.left = 0
        self.how = BEFORE
        self.cuts = 0
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def arm(self, how: str, at: int = 1) -> None:
        with self.lock:
            self.how, self.left = how, at

    def close(self) -> None:
        self.listening.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.listening.accept()
                threading.Thread(target=self._pass, args=(caller,), daemon=True).start()

    def _pass(self, caller: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.server))
        with caller, server, suppress(OSError):
            going = True
            while going:
                ready, _, _ = select.select([caller, server], [], [])
                if server in ready:
                    answer = server.recv(65536)
                    caller.sendall(answer)
                    going = bool(answer)
                if going and caller in ready:
                    going = self._asked(caller.recv(65536), server)

    def _asked(self, asked: bytes, server: socket.socket) -> bool:
        """Pass on what was asked, or cut; whether it goes on."""
        how = self._cut(asked)
        self.cuts += bool(how)
        if how != BEFORE:
            server.sendall(asked)
        if how == AFTER:
            server.recv(65536)  # it has committed
        return bool(asked) and not how

    def _cut(self, asked: bytes) -> str:
        """How to cut now; empty where all goes on."""
        if b"COMMIT" not in asked:
            return ""
        with self.lock:
            if not self.left:
                return ""
            self.left -= 1
            return "" if self.left else self.how
