"""Filters of the page Quality and of the lists behind its numbers, and the form that assigns reviews."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from answers.words import QUESTIONS
from figures.overview.defects import TAGS_KEY, Span
from qc import assigning, waiting
from qc.models import Lot, Verdict
from qc.models.reviews import Kind
from qc.waiting import ANYBODY, NOBODY, Wanted
from studies.models import Study

_ALL = [("", gettext_lazy("all"))]
_YES_NO = [*_ALL, ("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
#: What stands for nobody and for anybody in place of a name. Neither can be a name.
NAMES = {"-": NOBODY, "*": ANYBODY}


class SpanForm(forms.Form):
    """Which part of a study is shown: one lot or all, and from which day on."""

    lot = forms.IntegerField(label=gettext_lazy("Lot"), min_value=1, max_value=2**31 - 1, required=False)
    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, label_suffix="")
        self.study = study

    def clean_lot(self) -> Lot | None:
        number = self.cleaned_data["lot"]
        if number is None:
            return None
        lot = Lot.objects.filter(study=self.study, number=number).first()
        if lot is None:
            raise forms.ValidationError(_("This study has no lot %(number)s.") % {"number": number})
        return lot

    @property
    def span(self) -> Span:
        """Return the part of the study. Call it on a valid form."""
        return Span(self.cleaned_data.get("lot"), self.cleaned_data.get("since"))

    @property
    def in_use(self) -> bool:
        """Whether any filter is set."""
        return self.is_bound and any(self[name].data for name in self.fields)


class WeekField(forms.DateField):
    """A week, named by its Monday."""

    def __init__(self) -> None:
        widget = forms.DateInput(attrs={"type": "date"})
        label = gettext_lazy("Week starting (Monday)")
        super().__init__(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        return day - timedelta(days=day.weekday()) if day else None


class DefectsForm(SpanForm):
    """Filters of confirmed defects."""

    code = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[
            *_ALL,
            *Verdict.Code.choices,
            (Verdict.Ruling.CORRECTED, Verdict.Ruling.CORRECTED.label),
            (Verdict.Ruling.DISPUTED, Verdict.Ruling.DISPUTED.label),
        ],
        required=False,
    )
    question = forms.ChoiceField(
        label=gettext_lazy("Question"),
        choices=[*_ALL, *QUESTIONS.items(), (TAGS_KEY, gettext_lazy("Tags"))],
        required=False,
    )
    week = WeekField()


class DecidedForm(SpanForm):
    """Filters of the batches of decided lots."""

    week = WeekField()
    attempt = forms.RegexField(
        r"^(first|later|[1-9][0-9]{0,4})$",
        label=gettext_lazy("Attempt"),
        required=False,
        error_messages={"invalid": gettext_lazy("Write a number, or “first” or “later”.")},
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[*_ALL, (Lot.State.ACCEPTED, Lot.State.ACCEPTED.label), (Lot.State.RETURNED, Lot.State.RETURNED.label)],
        required=False,
    )


class ReviewedForm(forms.Form):
    """Filters of finished reviews."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of review"), choices=Kind.choices)
    reviewer = forms.CharField(label=gettext_lazy("Reviewer"), max_length=150, required=False)
    days = forms.IntegerField(
        label=gettext_lazy("Finished in the last … days"), min_value=1, max_value=3650, required=False
    )
    random = forms.ChoiceField(label=gettext_lazy("Drawn at random"), choices=[*_ALL, _YES_NO[1]], required=False)
    called = forms.ChoiceField(label=gettext_lazy("Called defective"), choices=_YES_NO, required=False)
    confirmed = forms.ChoiceField(label=gettext_lazy("Confirmed"), choices=_YES_NO, required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, label_suffix="")
        self.study = study

    def clean_reviewer(self) -> User | None:
        return _person(self.cleaned_data["reviewer"])

    @property
    def in_use(self) -> bool:
        """Whether a filter besides the kind is set."""
        return self.is_bound and any(self[name].data for name in self.fields if name != "kind")


class WaitingForm(forms.Form):
    """Filters of waiting answers."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of review"), choices=[(kind, Kind(kind).label) for kind in waiting.KINDS]
    )
    lot = SpanForm.base_fields["lot"]
    age = forms.ChoiceField(
        label=gettext_lazy("Waiting for"),
        choices=[*_ALL, *((name, title) for name, (title, _low, _high) in waiting.AGES.items())],
        required=False,
    )
    assigned = forms.CharField(label=gettext_lazy("Assigned to"), max_length=150, required=False)
    held = forms.CharField(label=gettext_lazy("Being reviewed by"), max_length=150, required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, label_suffix="")
        self.study = study

    clean_lot = SpanForm.clean_lot

    def clean_assigned(self) -> int | None:
        return _key(self.cleaned_data["assigned"])

    def clean_held(self) -> int | None:
        return _key(self.cleaned_data["held"])

    @property
    def wanted(self) -> Wanted:
        """Return which waiting answers are meant. Call it on a valid form."""
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value not in ("", None)})

    @property
    def in_use(self) -> bool:
        """Whether a filter besides the kind is set."""
        return self.is_bound and any(self[name].data for name in self.fields if name != "kind")


def _person(name: str) -> User | None:
    if not name:
        return None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise forms.ValidationError(_("There is nobody named “%(name)s”.") % {"name": name})
    return found


def _key(name: str) -> int | None:
    """Return the key of a person, or what stands for nobody or anybody."""
    if name in NAMES:
        return NAMES[name]
    person = _person(name)
    return person.pk if person else None


class AssignForm(forms.Form):
    """To whom waiting answers are assigned, how many, and for how long."""

    reviewer = forms.ModelChoiceField(
        label=gettext_lazy("Reviewer"), queryset=User.objects.none(), to_field_name="username"
    )
    most = forms.IntegerField(
        label=gettext_lazy("How many answers, at most"),
        min_value=1,
        max_value=assigning.MOST,
        initial=50,
        required=False,
    )
    days = forms.IntegerField(
        label=gettext_lazy("For how many days"), min_value=1, max_value=assigning.LONGEST_DAYS, initial=3
    )
    items = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(self, *arguments: Any, people: Collection[User], items: Collection[int] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        keys = [person.pk for person in people]
        self.fields["reviewer"].queryset = User.objects.filter(pk__in=keys).order_by("username")  # type: ignore[attr-defined]
        self.fields["items"].choices = [(key, key) for key in items]  # type: ignore[attr-defined]


def last_weeks(weeks: int) -> date:
    """Return the Monday so many weeks before this week, in the reader's time zone."""
    today = timezone.localdate()
    return today - timedelta(days=today.weekday(), weeks=weeks)
