"""Python's sleep asks for an absolute time, which libfaketime refuses: here it waits otherwise.

Found first on the path of processes whose clock a fault run moves, and by nothing else.
"""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
