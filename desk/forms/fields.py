"""Fields that take what the deeds take: the same signs, the same lengths, the same days."""

from datetime import date
from typing import Any

from django import forms

from common import inputs
from common.words import Sentence

AREA = {"rows": 4}


class TextField(forms.CharField):
    """A text within the limit of the deed that it is for."""

    def __init__(self, limit: inputs.Limit, **kwargs: Any) -> None:
        assert isinstance(limit, inputs.Text)
        self.limit = limit
        if limit.lines:
            kwargs.setdefault("widget", forms.Textarea(attrs=AREA))
        super().__init__(max_length=limit.most, required=limit.least > 0, **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            refuse(self.limit.fault(value))


class DateField(forms.DateField):
    """A day of the years that deeds know."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def validate(self, value: Any) -> None:
        super().validate(value)
        for _where, fault in inputs.faults(date, value) if value is not None else ():
            refuse(fault)


def refuse(fault: Sentence | None) -> None:
    if fault is not None:
        raise forms.ValidationError(fault.told())
