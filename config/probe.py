"""Asks the web server of this very container whether it lives: `python -m config.probe`.

Without Django: it is started every few seconds.
"""

import http.client
import os
import sys


def alive(bind: str, host: str) -> bool:
    """Whether the server at this address says so, asked by the name it answers to."""
    name, _, port = bind.rpartition(":")
    local = "127.0.0.1" if name in ("", "0.0.0.0", "[::]") else name.strip("[]")  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(local, int(port), timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().read(20) == b"alive\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    hosts = os.environ.get("SAYSO_HOSTS", "localhost").split(",")
    bound = os.environ.get("SAYSO_BIND", "") or "127.0.0.1:8000"
    sys.exit(0 if alive(bound, hosts[0].strip().lstrip(".*")) else 1)
