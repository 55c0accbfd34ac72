"""Python's sleep asks for an absolute time, which libfaketime refuses: here it waits otherwise.

Found first on the path of processes whose clock a fault run moves, and by nothing else.
"""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = sleep
