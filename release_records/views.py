"""Pages that show what is in a release: its records with their videos, and its difference to another release."""

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from answers.words import QUESTIONS
from catalog.library import listing
from catalog.library.files import refuse, send_list
from catalog.library.viewers import Viewer, is_playable, is_sensitive, pair_on_page, viewer_for
from catalog.library.views import Address
from catalog.models import Pair, Video
from diptych.paging import PAGE_LIMIT_S, Page, TookTooLong, counted, page, within
from diptych.refusals import NotThere
from diptych.spreadsheet import copy_table
from release_records import comparing, preview
from release_records.comparing import KINDS, PARTS
from releases.models import Release, ReleaseItem
from releases.permissions import numbered, releases_study
from releases.sending import require_complete
from studies.harms import HARMS
from studies.models import Study


@require_safe
@never_cache
@login_required
def records(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """List the answers of a release with pictures of their videos, filtered as the address says."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    require_complete(release)
    filters = preview.RecordFilters(request.GET, release=release)
    context: dict[str, Any] = {"study": study, "release": release, "filters": filters}
    if not filters.is_valid():
        return render(request, "release_records/records.html", context | {"wrong": True}, status=400)
    everything = preview.items_of(release)
    narrowed = filters.narrow(everything)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        with within(PAGE_LIMIT_S):
            found = page(narrowed, everything, preview.ORDER, after=after, before=before, key="place")
    except TookTooLong:
        return render(request, "release_records/records.html", context | {"too_long": True}, status=503)
    viewer = viewer_for(request.user, study)  # type: ignore[arg-type]
    hidden = listing.hidden_in(study)
    context["query"] = Address(request.GET)
    context |= {"page": found, "count": counted(narrowed, found)}
    context["rows"] = [_row(item, viewer, hidden) for item in found.rows]
    return render(request, "release_records/records.html", context)


@require_safe
@never_cache
@login_required
def records_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send the whole list of answers as CSV, filtered as the address says."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    require_complete(release)
    filters = preview.RecordFilters(request.GET, release=release)
    if not filters.is_valid():
        return refuse(filters)
    rows = filters.narrow(preview.items_of(release)).order_by("place")
    wanted = {name: value for name, value in filters.cleaned_data.items() if value not in ("", None)}
    about = {"list": "records", "release": release.number, "filters": wanted}
    name = f"release-{release.number}-records"
    return send_list(request, study, lambda file: copy_table(preview.COLUMNS, rows, file), name=name, about=about)


def _row(item: ReleaseItem, viewer: Viewer, hidden: set[int]) -> dict[str, Any]:
    """Return one answer with both posters, behind the filter of the person who looks."""
    pair = item.annotation.assignment.pair
    veil = viewer.veil(sensitive=is_sensitive(pair.prompt, pair.may_show))
    return {
        "item": item,
        "pair": pair,
        "veil": veil,
        "posters": [
            viewer.poster(video.asset) if is_playable(video.asset) and video.asset_id not in hidden else ""
            for video in (pair.video_0, pair.video_1)
        ],
        "helpfulness": item.annotation.helpfulness,
        "harmlessness": item.annotation.harmlessness,
        "tags": [item.annotation.tags_video_0, item.annotation.tags_video_1],
    }


@require_safe
@never_cache
@login_required
def record(request: HttpRequest, slug: str, number: int, pair_id: str) -> HttpResponse:
    """Show one pair of a release in the player, and its records as the files have them."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    require_complete(release)
    found = preview.records_of(release, pair_id)
    if found is None:
        raise Http404(
            _("Release %(n)s has no answer to the pair “%(id)s”.") % {"n": release.number, "id": pair_id[:64]}
        )
    pair = listing.pairs(study).select_related("video_0__asset", "video_1__asset").filter(public_id=pair_id).first()
    context = {
        "study": study,
        "release": release,
        "pair_id": pair_id,
        "record": found.pair,
        "prompt": found.annotations[0],
        "questions": [(QUESTIONS[key], counts) for key, counts in found.pair["questions"].items()],
        "annotations": [(one, json.dumps(one, indent=2, ensure_ascii=False)) for one in found.annotations],
        "pair_json": json.dumps(found.pair, indent=2, ensure_ascii=False),
        "labels": found.labels,
        "sides": ["left", "right"],
        "harms": HARMS,
        "on_page": _on_page(request, study, pair),
    }
    return render(request, "release_records/record.html", context)


def _on_page(request: HttpRequest, study: Study, pair: Pair | None) -> str:
    """Return the pair for the player as JSON; empty if one of its videos may not be shown now."""
    hidden = listing.hidden_in(study)

    def may_be_shown(video: Video) -> bool:
        return is_playable(video.asset) and video.asset_id not in hidden

    if pair is None or not (may_be_shown(pair.video_0) and may_be_shown(pair.video_1)):
        return ""
    return json.dumps(pair_on_page(viewer_for(request.user, study), pair))  # type: ignore[arg-type]


@require_safe
@never_cache
@login_required
def compare(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show what a release has that another one has not, the other way round, and pairs with another majority."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    require_complete(release)
    others = comparing.comparable(release)
    other = _other(request, release, others)
    kind, part, after = _chosen(request)
    context: dict[str, Any] = {"study": study, "release": release, "others": others, "other": other}
    context |= {"kinds": KINDS, "parts": PARTS, "kind": kind, "part": part, "questions": QUESTIONS}
    if other is None:
        return render(request, "release_records/compare.html", context)
    comparison = comparing.compare(release, other)
    try:
        with within(PAGE_LIMIT_S):
            counts = comparison.counts()
            if "show" not in request.GET:
                kind = next((key for key in KINDS if counts[key][part or "all"]), kind)
            found = comparison.rows(kind, part, after=after, most=comparing.ROWS_A_PAGE + 1)
    except TookTooLong:
        return render(request, "release_records/compare.html", context | {"too_long": True}, status=503)
    shown = found[: comparing.ROWS_A_PAGE]
    context |= {
        "kind": kind,
        "counts": [(key, name, list(counts[key].items())) for key, name in KINDS.items()],
        "any": any(of["all"] for of in counts.values()),
        "rows": shown,
        "page": Page(shown, previous="", next=str(shown[-1].key) if len(found) > len(shown) else ""),
        "by_part": [
            (part, *(one.counts["answers_by_part"].get(part, 0) for one in (other, release))) for part in PARTS
        ],
    }
    return render(request, "release_records/compare.html", context)


@require_safe
@never_cache
@login_required
def compare_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send the differences of one kind as CSV."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    other = _other(request, release, comparing.comparable(release))
    if other is None:
        raise NotThere(_("This study has no other release that can be compared."))
    kind, part, _after = _chosen(request)
    comparison = comparing.compare(release, other)
    about = {"list": "differences", "release": release.number, "with": other.number, "kind": kind, "part": part}
    name = f"release-{other.number}-to-{release.number}-{kind}"
    return send_list(
        request, study, lambda file: comparing.copy_as_csv(comparison, kind, part, file), name=name, about=about
    )


def _other(request: HttpRequest, release: Release, others: list[Release]) -> Release | None:
    """Return the release that the address names, or the usual one; None if there is no other one. Raise Http404."""
    asked = request.GET.get("with", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 10:
        return numbered(release.study, int(asked))
    return comparing.usual_other(release, others)


def _chosen(request: HttpRequest) -> tuple[str, str, int]:
    """Return which list the address asks for: its kind, its part, and the key after which it begins."""
    kind, part, after = (request.GET.get(name, "") for name in ("show", "part", "after"))
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    return kind if kind in KINDS else "added", part if part in PARTS else "", start
