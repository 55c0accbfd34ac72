"""Long lists, page by page: the latest first, each page below the last row of the one before."""

LARGEST = 2**62  # below what a database can number


def number(sent: str) -> int | None:
    """A number as an address holds it; anything else is none, and stands for the latest."""
    plain = sent.isascii() and sent.isdigit() and len(sent) < 20
    return int(sent) if plain and int(sent) < LARGEST else None
