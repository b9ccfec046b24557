"""The library's three lists: which rows there are, in which orders, and what a line of each says in a file.

What is in quarantine is in none of them. Nor is a pair that was reported, or its video, while nobody has decided yet.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import FloatField, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from catalog.library.filters import Filters, PairFilters, PromptFilters, VideoFilters
from catalog.library.paging import Order
from catalog.models import Pair, Prompt, Report, Study, Video

NEWEST = Order("newest", _("latest first"), descending=True)
OLDEST = Order("oldest", _("earliest first"))


@dataclass(frozen=True, slots=True)
class Listing:
    """One list."""

    name: str
    filters: type[Filters]
    rows: Callable[[Study], QuerySet[Any]]
    orders: tuple[Order, ...]
    columns: Mapping[str, Callable[[Any], Any]]

    def order(self, name: str) -> Order | None:
        """The order that an address names; the first where it names none."""
        return self.orders[0] if not name else next((one for one in self.orders if one.name == name), None)


def prompts(study: Study) -> QuerySet[Prompt]:
    """The study's prompts."""
    return Prompt.objects.filter(study=study)


def videos(study: Study) -> QuerySet[Video]:
    """The study's videos with their files and prompts."""
    length = Coalesce("asset__duration_s", Value(-1.0), output_field=FloatField())
    shown = Video.objects.filter(study=study, asset__quarantined_at=None).annotate(length=length)
    if reported := reported_assets(study):
        shown = shown.exclude(asset__in=reported)
    return shown.select_related("asset", "prompt")


def reported_assets(study: Study) -> list[int]:
    """Return the assets that were reported in this study and that nobody has released yet. Few, mostly none."""
    waiting = Report.objects.filter(study=study, quarantine__released_at=None)
    return list(waiting.values_list("quarantine__asset", flat=True).distinct())


def pairs(study: Study) -> QuerySet[Pair]:
    """The study's pairs with all that belongs to them."""
    return Pair.objects.usable().filter(study=study).select_related("prompt", "batch", "video_0", "video_1")


def _iso(row: Any) -> str:
    return str(row.created_at.isoformat(timespec="seconds"))


def _list(keys: list[str] | None) -> str:
    return "" if keys is None else " ".join(keys)


PROMPTS = Listing(
    "prompts",
    PromptFilters,
    prompts,
    (NEWEST, OLDEST),
    {
        "prompt_id": lambda row: row.public_id,
        "text": lambda row: row.text,
        "language": lambda row: row.language,
        "prompt_type": lambda row: row.prompt_type,
        "labels": lambda row: _list(row.labels),
        "labelled_by": lambda row: row.labelled_by,
        "source": lambda row: row.source,
        "source_detail": lambda row: row.source_detail,
        "licence": lambda row: row.licence,
        "set": lambda row: row.set,
        "cluster": lambda row: row.cluster,
        "split": lambda row: row.split,
        "came_in": _iso,
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
        "video_id": lambda row: row.public_id,
        "prompt_id": lambda row: row.prompt.public_id,
        "generator": lambda row: row.generator,
        "generator_version": lambda row: row.generator_version,
        "seed": lambda row: row.seed,
        "settings": lambda row: json.dumps(row.settings, ensure_ascii=False, sort_keys=True) if row.settings else "",
        "video_text": lambda row: row.video_text,
        "refined_by": lambda row: row.refined_by,
        "licence": lambda row: row.licence,
        "state": lambda row: row.asset.state,
        "reason": lambda row: row.asset.reason,
        "duration_s": lambda row: row.asset.duration_s,
        "fps": lambda row: row.asset.fps,
        "byte_size": lambda row: row.asset.byte_size,
        "came_in": _iso,
    },
)
PAIRS = Listing(
    "pairs",
    PairFilters,
    pairs,
    (
        NEWEST,
        OLDEST,
        Order("soonest", _("served soonest first"), "priority", descending=True),
        Order("latest", _("served last first"), "priority"),
    ),
    {
        "pair_id": lambda row: row.public_id,
        "prompt_id": lambda row: row.prompt.public_id,
        "video_0": lambda row: row.video_0.public_id,
        "video_1": lambda row: row.video_1.public_id,
        "batch": lambda row: row.batch.number,
        "kind": lambda row: row.kind,
        "ready": lambda row: row.ready,
        "held": lambda row: row.held,
        "wanted": lambda row: row.wanted,
        "open_slots": lambda row: row.open_slots,
        "priority": lambda row: row.priority,
        "in_sample": lambda row: row.in_sample,
        "look_alike": lambda row: row.look_alike,
        "may_show": lambda row: _list(row.may_show),
        "selection_method": lambda row: row.selection_method,
        "came_in": _iso,
    },
)


def state_of(pair: Pair) -> str:
    """What a pair waits for: one of the keys of `filters.STATES`."""
    if pair.held:
        return "held"
    if not pair.ready:
        return "preparing"
    return "open" if pair.open_slots else "done"
