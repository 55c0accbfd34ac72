"""Draw the pages of docs/reference that stand in tables of governance/rules."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from governance.rules import arrivals_page, transitions_page

PAGES = {"transitions.md": transitions_page, "people.md": arrivals_page}


class Command(BaseCommand):
    help = "Draw the pages of docs/reference from the tables in governance/rules."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        for name, draw in PAGES.items():
            page = Path(settings.BASE_DIR) / "docs" / "reference" / name
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(draw(), encoding="utf-8")
            self.stdout.write(f"Drawn: {page.relative_to(settings.BASE_DIR)}")
