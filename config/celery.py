"""The entrance of the clock through Redis: `celery -A config worker` and `celery -A config beat`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from config.beats import look  # noqa: E402 - it needs the settings that are ready only now
from release.broker import app  # noqa: E402

__all__ = ["app"]

look()
