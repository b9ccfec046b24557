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
from catalog.library.looking import harms_by_video, is_playable, is_sensitive, pair_on_page, viewer
from catalog.library.pair_sections import sections_of
from catalog.library.views import Address
from catalog.models import HoldChange, Pair, Prompt, Provenance, Video
from diptych.numbers import grouped
from diptych.refusals import Refused
from studies.harms import HARMS
from studies.models import Study
from studies.permissions import MAY_BROWSE, MAY_CONFIGURE, study_for

#: The most videos or pairs of one prompt or video on its page. The lists have the rest.
MOST_SHOWN = 100


@require_safe
@never_cache
@login_required
def prompt(request: HttpRequest, slug: str, prompt_id: str) -> HttpResponse:
    """Show a prompt with its videos and pairs."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    shown: Prompt = found(listing.prompts(study), prompt_id)
    videos = list(listing.videos(study).filter(prompt=shown).order_by("pk")[:MOST_SHOWN])
    pairs = list(listing.pairs(study).filter(prompt=shown).order_by("pk")[:MOST_SHOWN])
    of, harms = viewer(request.user, study), harms_by_video(videos)  # type: ignore[arg-type]
    return render(
        request,
        "catalog/prompt.html",
        {
            "study": study,
            "tab": "prompts",
            "prompt": shown,
            "labels": None if shown.labels is None else labels_of(shown.labels),
            "source": provenance(study, Provenance.Kind.SOURCE, shown.source_detail or shown.source),
            "videos": [
                {
                    "video": one,
                    "poster": of.poster(one.asset) if is_playable(one.asset) else "",
                    "veil": of.veil(sensitive=is_sensitive(shown, harms[one.pk])),
                }
                for one in videos
            ],
            "pairs": [{"pair": one, "state": state_of(one)} for one in pairs],
            "all_pairs": urlencode({"prompt": shown.public_id}),
            "most": MOST_SHOWN,
        },
    )


@require_safe
@never_cache
@login_required
def video(request: HttpRequest, slug: str, video_id: str) -> HttpResponse:
    """Show a video with its origin, and the pairs that it is in."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    shown: Video = found(listing.videos(study).select_related("derived_from"), video_id)
    of, harms = viewer(request.user, study), harms_by_video([shown])[shown.pk]  # type: ignore[arg-type]
    pairs = listing.pairs(study).filter(Q(video_0=shown) | Q(video_1=shown)).order_by("pk")[:MOST_SHOWN]
    return render(
        request,
        "catalog/video.html",
        {
            "study": study,
            "tab": "videos",
            "video": shown,
            "facts": shown.asset.facts.get("playback", {}),
            "original": shown.asset.facts.get("original", {}),
            "clip": of.clip(shown.asset) if is_playable(shown.asset) else None,
            "veil": of.veil(sensitive=is_sensitive(shown.prompt, harms)),
            "harms": labels_of(of.named(harms)),
            "generator": provenance(study, Provenance.Kind.GENERATOR, shown.generator),
            "pairs": [{"pair": one, "state": state_of(one)} for one in pairs],
            "all_pairs": urlencode({"video": shown.public_id}),
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
    shown: Pair = found(rows, pair_id)
    sides = [("left", shown.video_0), ("right", shown.video_1)]
    reported = listing.hidden_in(study)
    playable = all(is_playable(one.asset) and one.asset_id not in reported for _side, one in sides)
    of = viewer(request.user, study)  # type: ignore[arg-type]
    holds = HoldChange.objects.filter(study=study, pair=shown).select_related("changed_by")
    return render(
        request,
        "catalog/pair.html",
        {
            "study": study,
            "tab": "pairs",
            "pair": shown,
            "state": state_of(shown),
            "videos": sides,
            "on_page": json.dumps(pair_on_page(of, shown)) if playable else "",
            "may_show": labels_of(shown.may_show),
            "can_release": shown.held and shown.held not in holding.OWN_REASONS,
            "holds": holds.order_by("-pk")[:MOST_SHOWN],
            "sections": sections_of(request, study, shown),
            "sides": ["left", "right"],
            "harms": HARMS,
        },
    )


@require_POST
@never_cache
@login_required
def hold_pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold or release the pairs that were selected in a list, and redirect to the list."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    change(request, study, request.POST.getlist("pair"))
    return redirect(f"{reverse('catalog:pairs', args=[study.slug])}{Address(request.GET).here}")


@require_POST
@never_cache
@login_required
def hold_pair(request: HttpRequest, slug: str, pair_id: str) -> HttpResponse:
    """Hold or release one pair, and redirect to its page."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    shown: Pair = found(listing.pairs(study), pair_id)
    change(request, study, [shown.public_id])
    return redirect("catalog:pair", slug=study.slug, pair_id=shown.public_id)


def change(request: HttpRequest, study: Study, pairs: Collection[str]) -> None:
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
    (messages.success if outcome.changed else messages.info)(request, " ".join(said))


def found(rows: Any, public_id: str) -> Any:
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
