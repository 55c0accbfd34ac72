"""Draw docs/reference/transitions.md from the tables of steps."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from governance.rules import transitions_page


class Command(BaseCommand):
    help = "Draw docs/reference/transitions.md from the tables in governance/rules."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "reference" / "transitions.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(transitions_page(), encoding="utf-8")
        self.stdout.write(f"Drawn: {page.relative_to(settings.BASE_DIR)}")
