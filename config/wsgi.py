"""The web server's entrance."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
served = get_wsgi_application()

from config.refusals import Footing  # noqa: E402 - it needs the settings that are ready only now

application = Footing(served)
