"""The forms of training runs and of rules."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.words import QUESTIONS
from releases.models import Release
from training.kinds import TARGETS, Kind
from training.queueing import LARGEST_SEED, MOST_SEEDS, Wanted
from training.rules import LONGEST_WAIT_MINUTES, MOST_NEW_PAIRS

MODERATION = Kind.MODERATION.value


class WhatToTrain(forms.Form):
    """The questions and the backbone of a model."""

    train = forms.MultipleChoiceField(
        label=gettext_lazy("What to train"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Several questions make one model that answers all of them."),
        error_messages={"required": gettext_lazy("Choose at least one thing to train.")},
    )
    backbone = forms.ChoiceField(label=gettext_lazy("Backbone"))

    def __init__(
        self, data: Any, *, backbones: Mapping[str, str | Promise], initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        questions = [(target, QUESTIONS[target]) for target in TARGETS]
        self.fields["train"].choices = [*questions, (MODERATION, _("Moderation"))]  # type: ignore[attr-defined]
        self.fields["backbone"].choices = list(backbones.items())  # type: ignore[attr-defined]

    def clean_train(self) -> list[str]:
        """Refuse a moderation model together with questions: it is a model of its own."""
        chosen: list[str] = self.cleaned_data["train"]
        if MODERATION in chosen and len(chosen) > 1:
            raise forms.ValidationError(_("Moderation is a model of its own. Choose it alone."))
        return chosen

    @property
    def family(self) -> dict[str, Any]:
        """Return the kind, the targets and the backbone that the form asks for."""
        chosen = self.cleaned_data["train"]
        kind = Kind.MODERATION if MODERATION in chosen else Kind.REWARD
        targets = [] if kind == Kind.MODERATION else chosen
        return {"kind": kind.value, "targets": targets, "backbone": self.cleaned_data["backbone"]}


class RunForm(WhatToTrain):
    """What to train on a release."""

    release = forms.ChoiceField(label=gettext_lazy("Release"))
    seed = forms.IntegerField(label=gettext_lazy("Seed"), initial=1, min_value=0, max_value=LARGEST_SEED - MOST_SEEDS)

    def __init__(self, data: Any, *, releases: list[Release], **more: Any) -> None:
        super().__init__(data, **more)
        choices = [(str(one.number), _("Release %(n)s") % {"n": one.number}) for one in releases]
        self.fields["release"].choices = choices  # type: ignore[attr-defined]

    @property
    def wanted(self) -> Wanted:
        """Return what the form asks for."""
        return Wanted(**self.family, seed=self.cleaned_data["seed"])


class RuleForm(forms.Form):
    """When a rule queues a run."""

    wait_minutes = forms.IntegerField(
        label=gettext_lazy("Waiting time in minutes"),
        help_text=gettext_lazy("How long a release must be complete before it is trained on. A newer one replaces it."),
        initial=0,
        min_value=0,
        max_value=LONGEST_WAIT_MINUTES,
    )
    least_new_pairs = forms.IntegerField(
        label=gettext_lazy("Least number of new pairs"),
        help_text=gettext_lazy("Pairs that the release before, on which the model was trained, does not have."),
        initial=100,
        min_value=1,
        max_value=MOST_NEW_PAIRS,
    )
    scores_new_videos = forms.BooleanField(
        label=gettext_lazy("Score new videos after each comparison"),
        help_text=gettext_lazy(
            "The promoted version scores the videos that were added after those of its release. Annotators never see "
            "the scores."
        ),
        required=False,
    )


class NewRuleForm(WhatToTrain, RuleForm):
    """A new rule: what to train, and when."""

    field_order = ("train", "backbone", "wait_minutes", "least_new_pairs", "scores_new_videos")

    @property
    def rule(self) -> dict[str, Any]:
        """Return what the form asks for."""
        return self.family | {name: self.cleaned_data[name] for name in RuleForm.base_fields}
