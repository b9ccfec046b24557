"""Filters of the library's lists. Each filter is a parameter of the address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Batch, Pair, Prompt, Video
from catalog.models.pairs import CHANGEABLE
from jobs.models import OPEN_STATES
from media.models import Asset
from studies.harms import HARMS
from studies.models import Study

#: A search text of at least this many characters is taken as an id if it can be one.
SHORTEST_ID = 12
#: The shortest beginning of a published id in a field that also searches file names.
SHORTEST_PART = 4
MOST_WORDS = 8
ANY, NOTHING, UNLABELLED = "any", "nothing", "unlabelled"
YES_NO = [("", _("all")), ("yes", _("yes")), ("no", _("no"))]


def begins(public_id: str) -> Q:
    """Return the condition for rows whose id begins with this text.

    It is a range, so the index on the id is used. Ids have the digits 0 to f, so `g` is after the last.
    """
    return Q(public_id__gte=public_id, public_id__lt=f"{public_id}g")


def all_or(choices: Any) -> list[tuple[str, Any]]:
    """Return these choices, and “all” before them."""
    return [("", _("all")), *((key, label) for key, label in choices if key)]


class IdField(forms.CharField):
    """Field for the beginning of a public id."""

    def __init__(self, **options: Any) -> None:
        form = RegexValidator(r"^[0-9a-f]{4,64}$", _("Enter at least the first 4 characters of the id (0–9 and a–f)."))
        super().__init__(required=False, max_length=64, validators=[form], **options)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).lower()


class NameField(forms.CharField):
    """Field for the beginning of a published id, an id of the manifest, or a part of a file's name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=300, **options)


class ImportField(forms.IntegerField):
    """Field for the number of an import."""

    def __init__(self) -> None:
        super().__init__(label=_("Import"), min_value=1, max_value=2**63 - 1, required=False)


class Filters(forms.Form):
    """Filters of one list."""

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, label_suffix="")
        self.study = study

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that match all filters. Call it on a valid form."""
        for name, value in self.cleaned_data.items():
            if value not in ("", None):
                rows = rows.filter(self.condition(name, value))
        return rows

    def condition(self, name: str, value: Any) -> Q:
        """Return the condition of one filter. By default the column of that name has this value."""
        return Q(**{name: value})

    @property
    def in_use(self) -> bool:
        """Whether any filter is set."""
        return self.is_bound and any(self[name].data for name in self.fields)


class PromptFilters(Filters):
    """Filters of the list of prompts."""

    q = forms.CharField(label=_("Words or id"), max_length=200, required=False)
    prompt_type = forms.ChoiceField(
        label=_("Type"),
        choices=[
            ("", _("all")),
            (Prompt.Type.SAFETY_NEUTRAL, _("safety-neutral")),
            (Prompt.Type.SAFETY_CRITICAL, _("safety-critical")),
        ],
        required=False,
    )
    set = forms.ChoiceField(
        label=_("Set"),
        choices=[("", _("all")), (Prompt.Set.CORPUS, _("corpus")), (Prompt.Set.EVAL, _("evaluation"))],
        required=False,
    )
    split = forms.ChoiceField(
        label=_("Split"),
        choices=[
            ("", _("all")),
            (Prompt.Split.TRAIN, _("train")),
            (Prompt.Split.TEST, _("test")),
            (Prompt.Split.EXCLUDED, _("excluded")),
            ("undecided", _("undecided")),
        ],
        required=False,
    )
    language = forms.CharField(label=_("Language"), max_length=35, required=False)
    label = forms.ChoiceField(label=_("Label"), required=False)
    source = forms.ChoiceField(
        label=_("Source"),
        choices=[("", _("all")), ("real_user", _("real users")), ("researcher", _("researchers"))],
        required=False,
    )
    channel = forms.CharField(label=_("Source detail"), max_length=300, required=False)
    cluster = forms.CharField(label=_("Cluster of near-duplicates"), max_length=64, required=False)
    import_number = ImportField()

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, study=study)
        others = [(NOTHING, _("labelled harmless")), (UNLABELLED, _("not labelled"))]
        self.fields["label"].choices = [("", _("all")), *harm_choices(), *others]  # type: ignore[attr-defined]

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            return matches_prompt(value)
        if name == "channel":
            return Q(source_detail=value) | Q(source_detail="", source=value)
        if name == "split":
            return Q(split="" if value == "undecided" else value)
        if name == "label":
            return {NOTHING: Q(labels=[]), UNLABELLED: Q(labels=None)}.get(value, Q(labels__contains=[value]))
        return super().condition(name, value)


class VideoFilters(Filters):
    """Filters of the list of videos."""

    q = NameField(label=_("File name or id"))
    state = forms.ChoiceField(
        label=_("State"),
        choices=[
            ("", _("all")),
            ("ready", _("ready")),
            ("preparing", _("waiting or being prepared")),
            (Asset.State.WAITING, _("waiting to be prepared")),
            (Asset.State.RUNNING, _("being prepared")),
            ("delayed", _("delayed by a server problem")),
            ("failed", _("failed")),
        ],
        required=False,
    )
    prompt = IdField(label=_("Prompt id begins with"))
    generator = forms.CharField(label=_("Generator"), max_length=255, required=False)
    generator_version = forms.CharField(label=_("Generator version"), max_length=80, required=False)
    licence = forms.CharField(label=_("Licence"), max_length=80, required=False)
    import_number = ImportField()

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            return matches_video(value)
        if name == "state" and value == "delayed":  # what `media_progress.troubles` counts
            return Q(asset__state__in=OPEN_STATES) & ~Q(asset__reason="")
        if name == "state":
            states = {"ready": [Asset.State.DONE], "preparing": [Asset.State.WAITING, Asset.State.RUNNING]}
            return Q(asset__state__in=states.get(value, [value]))
        if name == "prompt":
            return Q(prompt__in=Prompt.objects.filter(begins(value), study=self.study).values("pk"))
        return super().condition(name, value)


class PairFilters(Filters):
    """Filters of the list of pairs."""

    q = IdField(label=_("Id begins with"))
    batch = forms.IntegerField(label=_("Batch"), min_value=1, max_value=2**31 - 1, required=False)
    state = forms.ChoiceField(
        label=_("State"),
        choices=[
            ("", _("all")),
            ("open", _("needs answers")),
            ("done", _("complete, or being completed")),
            ("held", _("held")),
            ("not_held", _("not held")),
            ("preparing", _("being prepared")),
            ("untouched", _("not started (batch is open)")),
            ("changeable", _("overlap and priority can be changed")),
            ("changeable_open", _("needs answers, and overlap and priority can be changed")),
        ],
        required=False,
    )
    reason = forms.CharField(label=_("Hold reason"), max_length=200, required=False)
    prompt = IdField(label=_("Prompt id begins with"))
    video = IdField(label=_("Video id begins with"))
    prompt_type = forms.ChoiceField(label=_("Type of prompt"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("all")), (Pair.Kind.REAL, _("regular")), (Pair.Kind.CONTROL, _("control"))],
        required=False,
    )
    in_sample = forms.ChoiceField(label=_("In the random sample"), choices=YES_NO, required=False)
    more_asked = forms.ChoiceField(label=_("More answers asked for"), choices=YES_NO, required=False)
    look_alike = forms.ChoiceField(label=_("Videos look alike"), choices=YES_NO, required=False)
    may_show = forms.ChoiceField(label=_("May show"), required=False)
    generator = forms.CharField(label=_("Generator"), max_length=255, required=False)
    import_number = ImportField()

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, study=study)
        others = [(ANY, _("any harm")), (NOTHING, _("no known harm"))]
        self.fields["may_show"].choices = [("", _("all")), *others, *harm_choices()]  # type: ignore[attr-defined]
        self.fields["prompt_type"].choices = PromptFilters.base_fields["prompt_type"].choices  # type: ignore[attr-defined]
        states = self.fields["state"]
        states.choices = [*states.choices, *((key, one.label) for key, one in more_states.items())]  # type: ignore[attr-defined]

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            return begins(value)
        if name == "prompt":
            return Q(prompt__in=Prompt.objects.filter(begins(value), study=self.study).values("pk"))
        if name == "video":
            videos = Video.objects.filter(begins(value), study=self.study).values("pk")
            return Q(video_0__in=videos) | Q(video_1__in=videos)
        if name == "prompt_type":
            return Q(prompt__prompt_type=value)
        if name == "generator":
            return Q(video_0__generator=value) | Q(video_1__generator=value)
        if name == "batch":
            return Q(pk__in=self.of_batch(value))
        if name == "state":
            return STATES[value] if value in STATES else more_states[value].condition(self.study)
        if name == "reason":
            return Q(held__icontains=value)
        if name == "more_asked":
            return Q(more_asked__gt=0) if value == "yes" else Q(more_asked=0)
        if name in {"in_sample", "look_alike"}:
            return Q(**{name: value == "yes"})
        if name == "may_show":
            return {ANY: ~Q(may_show=[]), NOTHING: Q(may_show=[])}.get(value, Q(may_show__contains=[value]))
        return super().condition(name, value)

    def of_batch(self, number: int) -> QuerySet[Any]:
        """Return the keys of a batch's pairs.

        The huge limit makes the planner find them by their index. Otherwise it would walk the whole study in the
        order of the list.
        """
        of = Batch.objects.filter(study=self.study, number=number).values_list("pk", flat=True).first()
        return Pair.objects.filter(batch=of or 0).order_by().values("pk")[: 2**31]


#: Conditions of the states of pairs. Pairs in quarantine are never listed.
STATES = {
    "open": Q(held="", ready=True, open_slots__gt=0),
    "done": Q(held="", ready=True, open_slots=0),
    "held": ~Q(held=""),
    "not_held": Q(held=""),
    # What `batching.count_free` counts.
    "untouched": Q(kind=Pair.Kind.REAL, open_slots=F("wanted"), batch__state=Batch.State.OPEN),
    # What `pair_changes.effects.pairs_meant` means.
    "changeable": CHANGEABLE,
    "changeable_open": CHANGEABLE & Q(open_slots__gt=0),
    "preparing": Q(held="", ready=False),
}


@dataclass(frozen=True, slots=True)
class PairState:
    """A state of pairs that a higher app adds: its label, and the condition for pairs of a study in that state."""

    label: str | Promise
    condition: Callable[[Study], Q]


#: By the value in the address. Higher apps register theirs in `AppConfig.ready()`.
more_states: dict[str, PairState] = {}


def harm_choices() -> list[tuple[str, str]]:
    """Return the choices of the twelve harms."""
    return [(harm.key, harm.label) for harm in HARMS]


def can_be_public_id(text: str, shortest: int) -> bool:
    """Return whether a text can be the beginning of a published id."""
    return shortest <= len(text) <= 64 and set(text) <= set("0123456789abcdef")


def matches_prompt(text: str) -> Q:
    """Return the condition for prompts whose text contains all these words, or that have this id.

    A long text that can be a published id is searched for only as an id.
    """
    term = text.strip()
    if can_be_public_id(term.lower(), SHORTEST_ID):
        return begins(term.lower()) | Q(source_id=term)
    wanted = Q()
    for word in text.split()[:MOST_WORDS]:
        wanted &= Q(text__icontains=word)
    return wanted | Q(source_id=term)


def matches_video(text: str) -> Q:
    """Return the condition for videos whose file name contains this text, or whose id equals or begins with it."""
    term = text.strip()
    wanted = Q(source_id=term) | Q(file_name__icontains=term)
    return wanted | begins(term.lower()) if can_be_public_id(term.lower(), SHORTEST_PART) else wanted
