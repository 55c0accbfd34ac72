"""What a body may be: one JSON text whose every string can be stored as it is."""

import json
import re
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSON(JSONParser):
    """UTF-8 JSON without doubled names, NaN, NUL or lone surrogates.

    A JSONParser, so that REST framework reads the body under DATA_UPLOAD_MAX_MEMORY_SIZE first.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        try:
            found = READER.decode(stream.read().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8 at byte {error.start}.") from error
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise ParseError(f"The body is not JSON at {place}.") from error
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except ValueError as error:
            raise ParseError("The body holds a number that is too long.") from error
        _check_strings(found)
        return found


def _no_constant(name: str) -> Any:
    raise ParseError(f"The body holds {name}, which is not JSON.")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("The body names the same thing twice in one object.")
    return found


READER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_doubles)


def _check_strings(found: Any) -> None:
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and UNSTORABLE.search(value):
            raise ParseError("A text in the body holds NUL or half a character.")
