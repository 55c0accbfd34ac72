"""What can go wrong: each one clear sentence, and an exit code of its own."""

from enum import IntEnum


class Code(IntEnum):
    """What the command line ends with."""

    OTHER = 1
    USAGE = 2
    OFFLINE = 10
    TOKEN = 11
    NOT_ALLOWED = 12
    NOT_THERE = 13
    REFUSED = 14
    VOID = 15
    TAMPERED = 16
    WRONG_KEY = 17
    NOT_NOW = 18


class Trouble(Exception):
    """It could not be done: `sentence` says why and what to do."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
