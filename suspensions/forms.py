"""Forms of suspensions and pause rules."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from qc.models import Lot
from suspensions.models import PauseRule, Suspension
from suspensions.pausing import BEGINNINGS, MOST_CHARACTERS, Limit
from suspensions.suspending import Choice

What = Suspension.What


class ChoiceForm(forms.Form):
    """Which answers of a person a suspension returns."""

    what = forms.ChoiceField(
        label=gettext_lazy("Answers that no longer count"),
        choices=[
            (What.NONE, gettext_lazy("None: only stop the person")),
            (What.ALL, gettext_lazy("All answers")),
            (What.SINCE, gettext_lazy("Answers given since a day")),
            (What.LOT, gettext_lazy("Answers of one lot")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose which answers no longer count.")},
    )
    since = forms.DateTimeField(
        label=gettext_lazy("Since"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    lot = forms.TypedChoiceField(label=gettext_lazy("Lot"), required=False, coerce=int, empty_value=None)

    def __init__(self, *arguments: Any, lots: Collection[Lot], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lots = {lot.number: lot for lot in lots}
        field: Any = self.fields["lot"]
        field.choices = [("", _("Choose a lot"))] + [
            (number, _("Lot %(number)s (%(state)s)") % {"number": number, "state": lot.get_state_display()})
            for number, lot in self.lots.items()
        ]

    @property
    def choice(self) -> Choice:
        """Return the choice of a valid form. What belongs to another choice is left out. Raise BadInput."""
        given = self.cleaned_data
        what = given["what"]
        since = given["since"] if what == What.SINCE else None
        return Choice(what, since, self.lots.get(given["lot"]) if what == What.LOT else None)


class LiftForm(forms.Form):
    """Why a suspension is lifted, and whether its answers count again."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=MOST_CHARACTERS, widget=forms.Textarea(attrs={"rows": 3})
    )
    restore = forms.BooleanField(label=gettext_lazy("Count these answers again"), required=False)


class PauseRulesForm(forms.Form):
    """A threshold in percent for each figure, and the number of items from which people are judged."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for figure, label in PauseRule.Figure.choices:
            self.fields[f"{figure}_threshold"] = forms.DecimalField(
                label=label, required=False, min_value=Decimal("0.1"), max_value=Decimal("99.9"), decimal_places=1
            )
            self.fields[f"{figure}_least"] = forms.TypedChoiceField(
                label=_("Smallest number that is judged"),
                coerce=int,
                choices=[(number, number) for number in BEGINNINGS],
                initial=BEGINNINGS[0],
            )

    @property
    def limits(self) -> dict[str, Limit]:
        """Return the rules of a valid form, by figure. A figure without a threshold has none."""
        given = self.cleaned_data
        return {
            figure: Limit(given[f"{figure}_threshold"] / 100, given[f"{figure}_least"])
            for figure in PauseRule.Figure.values
            if given[f"{figure}_threshold"] is not None
        }
