"""The library's list of labels: what programs said about prompts, videos and pairs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.library.filters import Filters, IdField, ImportField, begins
from catalog.library.listing import NEWEST, OLDEST, Listing, hidden_in
from catalog.models import Label, Pair, Prompt, Video
from catalog.models.pairs import usable
from diptych.paging import COUNT_LIMIT_S, TookTooLong, within
from diptych.spreadsheet import Moment, Scalar, Text, YesNo
from studies.models import Study

#: What a label can be about, by the name of its column.
SUBJECTS: dict[str, type[Prompt] | type[Video] | type[Pair]] = {"prompt": Prompt, "video": Video, "pair": Pair}
#: The most rows of the table of counts.
MOST_GROUPS = 200


class LabelFilters(Filters):
    """Filters of the list of labels."""

    q = IdField(label=_("Id begins with"))
    subject = forms.ChoiceField(
        label=_("Label is about"),
        choices=[("", _("all")), ("prompt", _("a prompt")), ("video", _("a video")), ("pair", _("a pair"))],
        required=False,
    )
    question = forms.CharField(label=_("Question"), max_length=60, required=False)
    labeller = forms.CharField(label=_("Labeller"), max_length=120, required=False)
    labeller_version = forms.CharField(label=_("Version of the labeller"), max_length=80, required=False)
    setting = forms.CharField(label=_("Setting"), max_length=200, required=False)
    refused = forms.ChoiceField(
        label=_("Value"),
        choices=[("", _("all")), ("no", _("has a value")), ("yes", _("refused"))],
        required=False,
    )
    import_number = ImportField()

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            asked = self.cleaned_data.get("subject")
            wanted = Q()
            for subject in [asked] if asked else SUBJECTS:
                named = SUBJECTS[subject]._default_manager.filter(begins(value), study=self.study)
                wanted |= Q(**{f"{subject}__in": named.values("pk")})
            return wanted
        if name == "subject":
            return Q(**{f"{value}__isnull": False})
        if name == "refused":
            return Q(refused=value == "yes")
        return super().condition(name, value)


def labels(study: Study) -> QuerySet[Label]:
    """Return the study's labels with what they are about. Labels of hidden videos and pairs are left out."""
    shown = Label.objects.filter(usable("pair__"), study=study, video__asset__quarantined_at=None)
    if hidden := hidden_in(study):
        shown = shown.exclude(video__asset__in=hidden)
    return shown.select_related("prompt", "video__prompt", "pair__prompt")


LABELS = Listing(
    "labels",
    LabelFilters,
    labels,
    (NEWEST, OLDEST),
    {
        "prompt_id": Text("prompt__public_id"),
        "video_id": Text("video__public_id"),
        "pair_id": Text("pair__public_id"),
        "question": Text("question"),
        "labeller": Text("labeller"),
        "labeller_version": Text("labeller_version"),
        "setting": Text("setting"),
        "value": Scalar("value"),
        "refused": YesNo("refused"),
        "import": F("import_number"),
        "came_in": Moment("created_at"),
    },
    key="pk",
)


def label_counts(found: QuerySet[Label]) -> Sequence[dict[str, Any]] | None:
    """Return how many labels each program gave on each question, and how often it refused.

    Return None if there are more than `MOST_GROUPS` of them, or if counting takes more than a second.
    """
    by = ("labeller", "labeller_version", "setting", "question")
    groups = found.order_by(*by).values(*by).annotate(number=Count("pk"), refusals=Count("pk", filter=Q(refused=True)))
    try:
        with within(COUNT_LIMIT_S):
            rows = list(groups[: MOST_GROUPS + 1])
    except TookTooLong:
        return None
    return rows if len(rows) <= MOST_GROUPS else None
