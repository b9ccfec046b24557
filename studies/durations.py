"""Form fields for durations in seconds, minutes or hours, and for shares in percent."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diptych.durations import HOUR, MINUTE, SECOND, in_words

UNITS = [
    (SECOND, gettext_lazy("seconds")),
    (MINUTE, gettext_lazy("minutes")),
    (HOUR, gettext_lazy("hours")),
]


def unit_of(seconds: int) -> int:
    """Return the largest unit that divides this number of seconds. Return minutes for zero."""
    return next((unit for unit in (HOUR, MINUTE) if seconds and seconds % unit == 0), SECOND if seconds else MINUTE)


def percent(share: float) -> str:
    """Return a share in percent without trailing zeros, such as “12.5 %”."""
    return f"{round(share * 100, 4):g} %"


class DurationWidget(forms.MultiWidget):
    """A number input beside a unit."""

    def __init__(self) -> None:
        number = forms.NumberInput(attrs={"min": 0, "step": "any", "inputmode": "decimal"})
        super().__init__([number, forms.Select(choices=UNITS)])

    def id_for_label(self, id_: str) -> str:
        """Return the id of the number input. The unit has its own label."""
        return f"{id_}_0" if id_ else id_

    def decompress(self, value: Any) -> list[Any]:
        if value is None:
            return [None, MINUTE]
        unit = unit_of(int(value))
        return [int(value) // unit, unit]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["subwidgets"][1]["attrs"]["aria-label"] = _("Unit")
        return context


class DurationField(forms.MultiValueField):
    """A duration in whole seconds, which people write in a unit of their choice."""

    def __init__(self, *, least: int = 0, most: int, **options: Any) -> None:
        self.least, self.most = least, most
        fields = (forms.DecimalField(min_value=0), forms.TypedChoiceField(choices=UNITS, coerce=int))
        super().__init__(fields, widget=DurationWidget(), **options)

    def compress(self, values: list[Any]) -> int | None:
        if not values:
            return None
        number, unit = values
        exact = number * Decimal(unit)
        if exact != exact.to_integral_value():
            raise ValidationError(_("This is not a whole number of seconds."), "not_whole")
        if not self.least <= exact <= self.most:
            limits = {"least": in_words(self.least), "most": in_words(self.most)}
            raise ValidationError(_("Choose %(least)s to %(most)s.") % limits, "out_of_range")
        return int(exact)


class ShareField(forms.FloatField):
    """A share between two fractions, which people write in percent."""

    def __init__(self, *, least: float = 0.0, most: float, **options: Any) -> None:
        attributes = {"min": least * 100, "max": most * 100, "step": "any", "inputmode": "decimal"}
        widget = forms.NumberInput(attrs=attributes)
        super().__init__(min_value=least * 100, max_value=most * 100, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value * 100:.6g}" if isinstance(value, float) else value

    def clean(self, value: Any) -> float | None:
        percentage = super().clean(value)
        return None if percentage is None else round(percentage / 100, 8)
