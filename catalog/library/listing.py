"""The library's lists of material: their rows, their orders, and the columns of their CSV files.

They leave out material in quarantine. They also leave out a reported pair and its video until the report is decided.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from catalog.library.filters import Filters, PairFilters, PromptFilters, VideoFilters
from catalog.models import Pair, Prompt, Video
from diptych.paging import Order
from diptych.spreadsheet import Column, Moment, Object, Text, Words, YesNo
from media import reasons
from studies.models import Study

NEWEST = Order("newest", _("latest first"), descending=True)
OLDEST = Order("oldest", _("earliest first"))


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of the library."""

    name: str
    filters: type[Filters]
    rows: Callable[[Study], QuerySet[Any]]
    orders: tuple[Order, ...]
    #: Columns of its CSV file, by name.
    columns: dict[str, Column]
    #: The unique field by which an address names a row.
    key: str = "public_id"

    def order(self, name: str) -> Order | None:
        """Return the order of this name; the first order if the name is empty, and None if it is unknown."""
        return self.orders[0] if not name else next((one for one in self.orders if one.name == name), None)


def prompts(study: Study) -> QuerySet[Prompt]:
    """Return the study's prompts."""
    return Prompt.objects.filter(study=study)


def videos(study: Study) -> QuerySet[Video]:
    """Return the study's videos with their assets and prompts."""
    length = Coalesce("asset__duration_s", Value(-1.0), output_field=FloatField())
    shown = Video.objects.filter(study=study, asset__quarantined_at=None).annotate(length=length)
    if hidden := hidden_in(study):
        shown = shown.exclude(asset__in=hidden)
    return shown.select_related("asset", "prompt")


#: Functions of higher apps that return assets which the library hides in a study, such as reported ones.
hidden_assets: list[Callable[[Study], Collection[int]]] = []


def hidden_in(study: Study) -> set[int]:
    """Return the assets that the library hides in the study. These are few, mostly none."""
    return {asset for rule in hidden_assets for asset in rule(study)}


def pairs(study: Study) -> QuerySet[Pair]:
    """Return the study's pairs with their prompts, batches and videos."""
    return Pair.objects.usable().filter(study=study).select_related("prompt", "batch", "video_0", "video_1")


def of_video(name: str) -> dict[str, Column]:
    """Return the CSV columns that identify the file and the generator of one of a pair's videos."""
    return {
        name: Text(f"{name}__public_id"),
        f"{name}_source_id": Text(f"{name}__source_id"),
        f"{name}_file_name": Text(f"{name}__file_name"),
        f"{name}_sha256": Text(f"{name}__asset__sha256"),
        f"{name}_generator": Text(f"{name}__generator"),
        f"{name}_generator_version": Text(f"{name}__generator_version"),
        f"{name}_seed": Text(f"{name}__seed"),
        f"{name}_settings": Object(f"{name}__settings"),
    }


PROMPTS = Listing(
    "prompts",
    PromptFilters,
    prompts,
    (NEWEST, OLDEST),
    {
        "prompt_id": Text("public_id"),
        "source_id": Text("source_id"),
        "text": Text("text"),
        "language": Text("language"),
        "prompt_type": Text("prompt_type"),
        "labels": Words("labels"),
        "labelled_by": Text("labelled_by"),
        "source": Text("source"),
        "source_detail": Text("source_detail"),
        "licence": Text("licence"),
        "set": Text("set"),
        "cluster": Text("cluster"),
        "split": Text("split"),
        "import": F("import_number"),
        "came_in": Moment("created_at"),
    },
)
VIDEOS = Listing(
    "videos",
    VideoFilters,
    videos,
    (
        NEWEST,
        OLDEST,
        Order("longest", _("longest first"), "length", descending=True),
        Order("shortest", _("shortest first"), "length"),
    ),
    {
        "video_id": Text("public_id"),
        "source_id": Text("source_id"),
        "file_name": Text("file_name"),
        "sha256": Text("asset__sha256"),
        "prompt_id": Text("prompt__public_id"),
        "prompt_source_id": Text("prompt__source_id"),
        "generator": Text("generator"),
        "generator_version": Text("generator_version"),
        "seed": Text("seed"),
        "settings": Object("settings"),
        "video_text": Text("video_text"),
        "refined_by": Text("refined_by"),
        "licence": Text("licence"),
        "state": Text("asset__state"),
        "reason_code": Text(reasons.Code("asset__reason")),
        "reason": Text(reasons.InEnglish("asset__reason")),
        "duration_s": F("asset__duration_s"),
        "fps": F("asset__fps"),
        "byte_size": F("asset__byte_size"),
        "import": F("import_number"),
        "came_in": Moment("created_at"),
    },
)
PAIRS = Listing(
    "pairs",
    PairFilters,
    pairs,
    (
        NEWEST,
        OLDEST,
        Order("soonest", _("highest priority first"), "priority", descending=True),
        Order("latest", _("lowest priority first"), "priority"),
    ),
    {
        "pair_id": Text("public_id"),
        "prompt_id": Text("prompt__public_id"),
        "prompt_source_id": Text("prompt__source_id"),
        **of_video("video_0"),
        **of_video("video_1"),
        "batch": F("batch__number"),
        "kind": Text("kind"),
        "ready": YesNo("ready"),
        "held": Text("held"),
        "wanted": F("wanted"),
        "open_slots": F("open_slots"),
        "more_asked": F("more_asked"),
        "priority": F("priority"),
        "in_sample": YesNo("in_sample"),
        "look_alike": YesNo("look_alike"),
        "may_show": Words("may_show"),
        "selection_method": Text("selection_method"),
        "import": F("import_number"),
        "came_in": Moment("created_at"),
    },
)


def state_of(pair: Pair) -> str:
    """Return the state of a pair as one of the keys of `filters.STATES`."""
    if pair.held:
        return "held"
    if not pair.ready:
        return "preparing"
    return "open" if pair.open_slots else "done"
