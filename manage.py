#!/usr/bin/env python
"""The operator's door."""

import os
import sys

from django.core.management import execute_from_command_line

from common.acting import COMMAND, acting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with acting(lambda: COMMAND):
        execute_from_command_line(sys.argv)
