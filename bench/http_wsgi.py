"""The service as in production, with one bare view beside it and no limit on how often one asks."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.ROOT_URLCONF = "bench.http_urls"
application = get_wsgi_application()

from api.throttling import MachineThrottle  # noqa: E402 - Django must be set up first

MachineThrottle.rate = "99999999/min"  # it is counted all the same
