"""The records of a release on pages: a list of its answers, and one pair with its records as the files have them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django import forms
from django.db.models import F, Max, Min, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from annotation.models import Assignment
from answers.words import ASKED
from catalog.library.filters import MOST_WORDS, Filters, all_or
from diptych.downloads import CopyFile
from diptych.paging import Order
from diptych.spreadsheet import Column, Text, Words, YesNo
from release_formats import jsonl
from release_formats.annotation_lines import line
from releases import aggregation
from releases.items import QUESTIONS, Items
from releases.models import Release, ReleaseItem, ReleaseLabel, ReleasePrompt
from studies.harms import HARMS

ORDER = Order("place", pgettext_lazy("order of a list", "as in the files"), "place")
#: The most labels of programs that a pair's page shows.
MOST_LABELS = 100


class RecordFilters(Filters):
    """Which answers of a release are listed. All of it stands in the address."""

    q = forms.CharField(label=_("Words of the prompt, or id"), max_length=200, required=False)
    part = forms.ChoiceField(
        label=_("Part"),
        choices=all_or([("train", _("train")), ("test", _("test")), ("eval", _("eval")), ("excluded", _("excluded"))]),
        required=False,
    )
    prompt_type = forms.ChoiceField(
        label=_("Type"),
        choices=all_or([("safety_neutral", _("safety-neutral")), ("safety_critical", _("safety-critical"))]),
        required=False,
    )
    asked_because = forms.ChoiceField(
        label=_("Asked for"),
        choices=all_or(ASKED.items()),
        required=False,
    )
    in_sample = forms.ChoiceField(
        label=_("Random sample"), choices=all_or([("yes", _("yes")), ("no", _("no"))]), required=False
    )
    tag = forms.ChoiceField(
        label=_("Harm tag"), choices=all_or([(harm.key, harm.label) for harm in HARMS]), required=False
    )
    annotator = forms.CharField(label=_("Annotator code"), max_length=64, required=False)
    lot = forms.IntegerField(label=_("Lot"), min_value=1, max_value=2**31 - 1, required=False)

    def __init__(self, data: Any, *, release: Release) -> None:
        super().__init__(data, study=release.study)
        self.release = release

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            return self._search(value)
        if name == "in_sample":
            return Q(in_sample=value == "yes")
        if name == "tag":
            return Q(annotation__tags_video_0__contains=[value]) | Q(annotation__tags_video_1__contains=[value])
        return Q(**{{"annotator": "annotator_id"}.get(name, name): value})

    def _search(self, text: str) -> Q:
        """Return the condition for prompts with all these words, or for the beginning of an id of a prompt or pair."""
        prompts = ReleasePrompt.objects.filter(release=self.release)
        for word in text.split()[:MOST_WORDS]:
            prompts = prompts.filter(text__icontains=word)
        of_pair = "annotation__assignment__pair"
        found = Q(**{f"{of_pair}__prompt__public_id__in": prompts.values("prompt_id")})
        lowered = text.strip().lower()
        if len(lowered) >= 4 and set(lowered) <= set("0123456789abcdef"):
            found |= Q(**{f"{of_pair}__public_id__startswith": lowered})
            found |= Q(**{f"{of_pair}__prompt__public_id__startswith": lowered})
        return found


def items_of(release: Release) -> QuerySet[ReleaseItem]:
    """Return the current revisions of the valid answers of a release, with their pairs and videos."""
    of_pair = "annotation__assignment__pair"
    videos = [f"{of_pair}__{video}__asset" for video in ("video_0", "video_1")]
    rows = ReleaseItem.objects.filter(release=release, is_current=True, validity="valid")
    return rows.select_related(f"{of_pair}__prompt", *videos)


_pair = "annotation__assignment__pair"
#: Columns of the CSV file of the list. The files of the release have everything.
COLUMNS: dict[str, Column] = {
    "annotation_id": F("annotation_id"),
    "pair_id": Text(f"{_pair}__public_id"),
    "prompt_id": Text(f"{_pair}__prompt__public_id"),
    "prompt_text": Text("prompt_text"),
    "part": Text("part"),
    "in_sample": YesNo("in_sample"),
    "asked_because": Text("asked_because"),
    "annotator": Text("annotator_id"),
    "lot": F("lot"),
    **{question: Text(f"annotation__{question}") for question in QUESTIONS},
    "tags_video_0": Words("annotation__tags_video_0"),
    "tags_video_1": Words("annotation__tags_video_1"),
}


class ItemsOfPair(Items):
    """The items of one pair, which follow one another."""

    def __init__(self, release: Release, first: int, last: int) -> None:
        super().__init__(release)
        self.first, self.last = first, last

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Yield the parameters of the one chunk."""
        yield {"release": self.release.pk, "after": self.first - 1, "until": self.last}


@dataclass(frozen=True, slots=True)
class PairRecords:
    """What the files of a release have of one pair: its own record, and a line for each revision of its answers."""

    pair: dict[str, Any]
    annotations: list[dict[str, Any]]
    labels: list[ReleaseLabel]


def records_of(release: Release, pair_id: str) -> PairRecords | None:
    """Return the records of a pair of a release, or None if the release has no valid answer to it."""
    assignments = Assignment.objects.filter(study=release.study, pair__public_id=pair_id)
    of_pair = ReleaseItem.objects.filter(
        release=release, annotation__assignment__in=assignments.values("pk"), validity="valid"
    )
    places = of_pair.aggregate(first=Min("place"), last=Max("place"))
    if places["first"] is None:
        return None
    items = ItemsOfPair(release, places["first"], places["last"])
    [record] = map(jsonl.pair, aggregation.pairs(items.current()))
    about = Q(pair_id=pair_id) | Q(video_id__in=[record["video_0"], record["video_1"]])
    labels = ReleaseLabel.objects.filter(about, release=release, prompt_id=record["prompt_id"]).order_by("place")
    return PairRecords(record, _lines(release, items), list(labels[:MOST_LABELS]))


def _lines(release: Release, items: Items) -> list[dict[str, Any]]:
    written = io.BytesIO()
    items.copy(line(release), "frozen.standing__validity = 'valid'", CopyFile(written))
    return [orjson.loads(one) for one in written.getvalue().splitlines()]
