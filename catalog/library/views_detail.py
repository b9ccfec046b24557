"""Pages of one prompt, one video and one pair of the library, and views that hold pairs."""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.library import holding, listing
from catalog.library.listing import state_of
from catalog.library.pair_sections import sections_of
from catalog.library.viewers import harms_by_video, is_playable, is_sensitive, pair_on_page, viewer_for
from catalog.library.views import Address
from catalog.models import HoldChange, Label, Pair, Prompt, Provenance, Video
from diptych.numbers import grouped
from diptych.refusals import Refused
from diptych.sentences import joined
from studies.harms import HARMS
from studies.models import Study
from studies.permissions import MAY_BROWSE, MAY_CONFIGURE, study_for

#: The most videos or pairs of one prompt or video on its page. The lists have the rest.
MOST_SHOWN = 100
#: The most labels of one video on the page of a pair.
MOST_LABELS = 12


@require_safe
@never_cache
@login_required
def prompt(request: HttpRequest, slug: str, prompt_id: str) -> HttpResponse:
    """Show a prompt with its videos and pairs."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    row: Prompt = get_or_404(listing.prompts(study), prompt_id)
    videos = list(listing.videos(study).filter(prompt=row).order_by("pk")[:MOST_SHOWN])
    pairs = list(listing.pairs(study).filter(prompt=row).order_by("pk")[:MOST_SHOWN])
    viewer, harms = viewer_for(request.user, study), harms_by_video(videos)  # type: ignore[arg-type]
    return render(
        request,
        "catalog/prompt.html",
        {
            "study": study,
            "tab": "prompts",
            "prompt": row,
            "labels": None if row.labels is None else labels_of(row.labels),
            "by_programs": Label.objects.filter(prompt=row).count(),
            "source": provenance(study, Provenance.Kind.SOURCE, row.source_detail or row.source),
            "videos": [
                {
                    "video": one,
                    "poster": viewer.poster(one.asset) if is_playable(one.asset) else "",
                    "veil": viewer.veil(sensitive=is_sensitive(row, harms[one.pk])),
                }
                for one in videos
            ],
            "pairs": [{"pair": one, "state": state_of(one)} for one in pairs],
            "all_pairs": urlencode({"prompt": row.public_id}),
            "most": MOST_SHOWN,
        },
    )


@require_safe
@never_cache
@login_required
def video(request: HttpRequest, slug: str, video_id: str) -> HttpResponse:
    """Show a video with its origin, and the pairs that it is in."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    row: Video = get_or_404(listing.videos(study).select_related("derived_from"), video_id)
    viewer, harms = viewer_for(request.user, study), harms_by_video([row])[row.pk]  # type: ignore[arg-type]
    pairs = listing.pairs(study).filter(Q(video_0=row) | Q(video_1=row)).order_by("pk")[:MOST_SHOWN]
    return render(
        request,
        "catalog/video.html",
        {
            "study": study,
            "tab": "videos",
            "video": row,
            "facts": row.asset.facts.get("playback", {}),
            "original": row.asset.facts.get("original", {}),
            "clip": viewer.clip(row.asset) if is_playable(row.asset) else None,
            "veil": viewer.veil(sensitive=is_sensitive(row.prompt, harms)),
            "harms": labels_of(viewer.named(harms)),
            "by_programs": Label.objects.filter(video=row).count(),
            "generator": provenance(study, Provenance.Kind.GENERATOR, row.generator),
            "pairs": [{"pair": one, "state": state_of(one)} for one in pairs],
            "all_pairs": urlencode({"video": row.public_id}),
            "most": MOST_SHOWN,
        },
    )


@require_safe
@never_cache
@login_required
def pair(request: HttpRequest, slug: str, pair_id: str) -> HttpResponse:
    """Show a pair: both videos in the annotators' player, their origin, and the history of holds."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    rows = listing.pairs(study).select_related("video_0__asset", "video_1__asset")
    row: Pair = get_or_404(rows, pair_id)
    sides = [("left", row.video_0), ("right", row.video_1)]
    reported = listing.hidden_in(study)
    playable = all(is_playable(one.asset) and one.asset_id not in reported for _side, one in sides)
    viewer = viewer_for(request.user, study)  # type: ignore[arg-type]
    holds = HoldChange.objects.filter(study=study, pair=row).select_related("changed_by")
    return render(
        request,
        "catalog/pair.html",
        {
            "study": study,
            "tab": "pairs",
            "pair": row,
            "state": state_of(row),
            "videos": [(side, video, _newest_labels(video)) for side, video in sides],
            "on_page": json.dumps(pair_on_page(viewer, row)) if playable else "",
            "may_show": labels_of(row.may_show),
            "by_programs": Label.objects.filter(pair=row).count(),
            "can_release": row.held and row.held not in holding.OWN_REASONS,
            "holds": holds.order_by("-pk")[:MOST_SHOWN],
            "sections": sections_of(request, study, row),
            "sides": ["left", "right"],
            "harms": HARMS,
        },
    )


def _newest_labels(video: Video) -> list[tuple[Label, str]]:
    """Return the latest labels of a video by programs, each with its value as text. A number has four digits."""
    found = Label.objects.filter(video=video).order_by("-pk")[:MOST_LABELS]
    return [(one, f"{one.value:.4g}" if isinstance(one.value, float) else str(one.value)) for one in found]


@require_POST
@never_cache
@login_required
def hold_pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold or release the pairs that were selected in a list, and redirect to the list."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    hold_or_release(request, study, request.POST.getlist("pair"))
    return redirect(f"{reverse('catalog:pairs', args=[study.slug])}{Address(request.GET).here}")


@require_POST
@never_cache
@login_required
def hold_pair(request: HttpRequest, slug: str, pair_id: str) -> HttpResponse:
    """Hold or release one pair, and redirect to its page."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    row: Pair = get_or_404(listing.pairs(study), pair_id)
    hold_or_release(request, study, [row.public_id])
    return redirect("catalog:pair", slug=study.slug, pair_id=row.public_id)


def hold_or_release(request: HttpRequest, study: Study, pairs: Collection[str]) -> None:
    """Hold or release these pairs as the form asks, and add a message with the outcome."""
    person: Any = request.user
    act = request.POST.get("act")
    try:
        if act == "hold":
            outcome = holding.hold(study, pairs, reason=request.POST.get("reason", ""), by=person)
            done = ngettext("%(n)s pair is now held.", "%(n)s pairs are now held.", outcome.changed)
            rest = ngettext("%(n)s was already held.", "%(n)s were already held.", outcome.unchanged)
        elif act == "release":
            outcome = holding.release(study, pairs, by=person)
            done = ngettext("%(n)s pair is released.", "%(n)s pairs are released.", outcome.changed)
            rest = ngettext(
                "%(n)s was not changed. It is not held, or is held because a video could not be prepared.",
                "%(n)s were not changed. They are not held, or are held because a video could not be prepared.",
                outcome.unchanged,
            )
        else:
            raise BadRequest(_("Choose what to do with the pairs: hold or release."))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return
    said = [done % {"n": grouped(outcome.changed)}]
    if outcome.unchanged:
        said.append(rest % {"n": grouped(outcome.unchanged)})
    (messages.success if outcome.changed else messages.info)(request, joined(said))


def get_or_404(rows: Any, public_id: str) -> Any:
    """Return the row with this id. Raises Http404, also for material in quarantine, which is not among `rows`."""
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise Http404(_("This study’s library has no item with the id “%(id)s”.") % {"id": public_id[:64]})
    return row


def provenance(study: Study, kind: str, name: str) -> Provenance | None:
    """Return the recorded licence and terms of the source or generator with this name, or None."""
    return Provenance.objects.filter(study=study, kind=kind, name=name).first() if name else None


def labels_of(harms: Collection[str]) -> list[str]:
    """Return the labels of these harms in their usual order."""
    return [harm.label for harm in HARMS if harm.key in harms]
