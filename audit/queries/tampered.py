"""How a reading of the log says that something in it does not hold."""


class Tampered(Exception):
    """Something stored is not what was logged. `code` says what kind, `place` where."""

    def __init__(self, code: str, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.code = code
        self.place = place
        self.message = message
