"""Where tests keep their files: in memory, where there is enough of it."""

import os
import shutil
from pathlib import Path


def place() -> str | None:
    """Memory where there is enough of it: every test waits for its database to reach the disk."""
    memory = Path("/dev/shm")  # noqa: S108 - only a folder of our own inside it is used
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    return str(memory) if roomy and os.access(memory, os.W_OK) else None
