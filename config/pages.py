"""What every page may know besides its own matter."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info


def page(request: HttpRequest | None) -> dict[str, Any]:
    """The deployment's own neutral name and picture, and each language by its own name."""
    return {
        "site_icon": f"look/icons/{settings.ICON}.svg",
        "site_name": settings.SITE_NAME_ES if get_language() == "es" else settings.SITE_NAME,
        "languages": [
            (code, get_language_info(code)["name_local"].capitalize())
            for code, _ in settings.LANGUAGES
        ],
    }
