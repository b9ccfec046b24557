"""The form of a new training run."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.words import QUESTIONS
from releases.models import Release
from training.kinds import BACKBONES, TARGETS, Kind
from training.queueing import LARGEST_SEED, MOST_SEEDS, Wanted

MODERATION = Kind.MODERATION.value


class RunForm(forms.Form):
    """What to train on a release."""

    release = forms.ChoiceField(label=gettext_lazy("Release"))
    train = forms.MultipleChoiceField(
        label=gettext_lazy("What to train"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Several questions make one model that answers all of them."),
        error_messages={"required": gettext_lazy("Choose at least one thing to train.")},
    )
    backbone = forms.ChoiceField(
        label=gettext_lazy("Backbone"), choices=[(name, one.label) for name, one in BACKBONES.items()]
    )
    seed = forms.IntegerField(label=gettext_lazy("Seed"), initial=1, min_value=0, max_value=LARGEST_SEED - MOST_SEEDS)

    def __init__(self, data: Any, *, releases: list[Release], initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        choices = [(str(one.number), _("Release %(n)s") % {"n": one.number}) for one in releases]
        self.fields["release"].choices = choices  # type: ignore[attr-defined]
        questions = [(target, QUESTIONS[target]) for target in TARGETS]
        self.fields["train"].choices = [*questions, (MODERATION, _("Moderation"))]  # type: ignore[attr-defined]

    def clean_train(self) -> list[str]:
        """Refuse a moderation model together with questions: it is a model of its own."""
        chosen: list[str] = self.cleaned_data["train"]
        if MODERATION in chosen and len(chosen) > 1:
            raise forms.ValidationError(_("Moderation is a model of its own. Queue it in a run of its own."))
        return chosen

    @property
    def wanted(self) -> Wanted:
        """Return what the form asks for."""
        chosen = self.cleaned_data["train"]
        kind = Kind.MODERATION if MODERATION in chosen else Kind.REWARD
        targets = [] if kind == Kind.MODERATION else chosen
        return Wanted(
            kind=kind, targets=targets, backbone=self.cleaned_data["backbone"], seed=self.cleaned_data["seed"]
        )
