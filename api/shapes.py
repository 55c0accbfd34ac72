"""The shapes of what machines send: refused where a name is unknown or a type is another."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from common import inputs

UNKNOWN = "This name is not known here."


class Shape(serializers.Serializer):
    """An object whose names are all known. It validates shape only and saves nothing."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """What was sent, in this shape. Raises ValidationError.

        One object of a shape reads for everybody, since reading changes nothing in it: to make its
        fields anew costs more than to read them.
        """
        try:
            found: dict[str, Any] = _reader(cls).run_validation(data)
        except serializers.ValidationError:
            cls(data=data).is_valid(raise_exception=True)  # which says it as REST framework does
            raise
        return found

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: [UNKNOWN] for name in unknown}, code="unknown"
                )
        return super().to_internal_value(data)


@cache
def _reader(shape: type[Shape]) -> Shape:
    return shape()


class Text(serializers.CharField):
    """A JSON string within the limit of the deed that it is for; a number is not taken for one."""

    def __init__(self, limit: inputs.Limit, **kwargs: Any) -> None:
        assert isinstance(limit, inputs.Text)
        self.limit = limit
        super().__init__(max_length=limit.most, **kwargs)
        self.validators.append(self._signs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))

    def _signs(self, value: str) -> None:
        fault = self.limit.fault(value)
        if fault and 0 < len(value) <= self.limit.most:  # REST framework says the rest
            raise serializers.ValidationError(str(fault), code="invalid")


class Choice(serializers.ChoiceField):
    """One word of a vocabulary; the refusal lists them and does not repeat what was sent."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        words = ", ".join(str(word) for word in self.choices)
        self.error_messages["invalid_choice"] = f"Write one of: {words}."

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A point in time as machines are told it: in UTC, wherever the people are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class Instant(Moment):
    """A point in time with its offset from UTC; a time without one is not a point in time."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="2026-01-31T09:00:00Z")
        try:
            parsed = parse_datetime(value)
        except ValueError:
            parsed = None
        if parsed is None or parsed.tzinfo is None:
            self.fail("invalid", format="2026-01-31T09:00:00Z")
        found: datetime = super().to_internal_value(value)
        for _where, fault in inputs.faults(datetime, found):
            raise serializers.ValidationError(str(fault), code="invalid")
        return found
