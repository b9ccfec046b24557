"""Forms of lots and of decisions about them."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Batch
from qc.decisions import MOST_CHARACTERS, PersonInLot
from qc.models import LotDecision


class NewLotForm(forms.Form):
    """Which batches become a lot."""

    batches = forms.TypedMultipleChoiceField(
        label=_("Batches"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one batch."),
            "invalid_choice": _("Batch %(value)s cannot be put into a lot any more. Choose from the list."),
        },
    )

    def __init__(self, *arguments: Any, batches: Collection[Batch], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["batches"].choices = [(batch.number, batch.number) for batch in batches]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why a decision is reopened."""

    reason = forms.CharField(label=_("Reason"), max_length=MOST_CHARACTERS, widget=forms.Textarea(attrs={"rows": 3}))


class DecisionForm(ReasonForm):
    """A decision about a lot. `decisions.Wanted` checks whether its parts fit together."""

    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[("accepted", _("Accept the lot")), ("returned", _("Return the lot"))],
        widget=forms.RadioSelect,
    )
    ask_again = forms.ChoiceField(
        label=_("What is answered again, if the lot is returned"),
        choices=LotDecision.AskAgain.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    people = forms.TypedMultipleChoiceField(
        label=_("People whose pairs are answered again"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    against_plan = forms.BooleanField(
        label=_("I decide differently from the plan, or before the plan has a result"), required=False
    )

    field_order = ("outcome", "ask_again", "people", "reason", "against_plan")

    def __init__(self, *arguments: Any, people: Collection[PersonInLot], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["people"].choices = [(row.person.pk, row.person.username) for row in people]  # type: ignore[attr-defined]
