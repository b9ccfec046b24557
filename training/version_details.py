"""What the page of a version shows of its details: precision and recall, harm by group, and disagreements."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from catalog.models import Pair, Video
from studies.models import Study
from training import detail_charts, detail_tables
from training import registry_words as words
from training.kinds import Kind
from training.models import ModelVersion
from training.promotion import ANY_HARM
from training.registry_tables import ORDER


def of_version(study: Study, version: ModelVersion, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the details by section, of the tag and the target in an address. Empty while there are none."""
    found = version.details or {}
    shown: dict[str, Any] = {}
    if curves := found.get("precision"):
        tag = query.get("tag") if query.get("tag") in curves else ANY_HARM if ANY_HARM in curves else min(curves)
        shown["precision"] = _precision(study, version, str(tag))
    if groups := found.get("confusion"):
        shown["confusion"] = detail_tables.confusion(groups)
    if by_target := found.get("disagreements"):
        target = query.get("target") if query.get("target") in by_target else next(iter(by_target))
        shown["disagreements"] = _disagreements(study, version, str(target))
    return shown


def _precision(study: Study, version: ModelVersion, tag: str) -> dict[str, Any]:
    curves = version.details["precision"]
    order = sorted(curves, key=lambda one: ORDER.index(one) if one in ORDER else len(ORDER))
    return {
        "tag": tag,
        "tags": [(one, words.tag(one)) for one in order],
        "positives": curves[tag]["positives"],
        "n": curves[tag]["n"],
        "chart": detail_charts.precision(study, version, tag),
        "table": detail_tables.precision(curves[tag]),
    }


def _disagreements(study: Study, version: ModelVersion, target: str) -> dict[str, Any]:
    """Return the rows of a target, each with its prompt and its page in the library while it is in the study."""
    is_of_videos = version.family.kind == Kind.MODERATION
    by_target = version.details["disagreements"]
    rows: list[dict[str, Any]] = [dict(one) for one in detail_tables.disagreements(by_target[target])]
    ids = [one["id"] for one in rows]
    found: QuerySet[Any] = Video.objects.all() if is_of_videos else Pair.objects.usable()
    present = {one.public_id: one for one in found.filter(study=study, public_id__in=ids).select_related("prompt")}
    name = "catalog:video" if is_of_videos else "catalog:pair"
    for row in rows:
        if one := present.get(row["id"]):
            row |= {"prompt": one.prompt, "page": reverse(name, args=[study.slug, one.public_id])}
    return {
        "target": target,
        "targets": [(one, words.target(one)) for one in by_target] if len(by_target) > 1 else [],
        "of_videos": is_of_videos,
        "rows": rows,
    }
