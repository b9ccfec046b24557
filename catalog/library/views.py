"""The library's lists as pages and as CSV files. The address has all filters and the order."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.library.files import refuse, send_list
from catalog.library.filters import Filters
from catalog.library.labels import LABELS, label_counts
from catalog.library.listing import PAIRS, PROMPTS, VIDEOS, Listing, hidden_in, state_of
from catalog.library.viewers import harms_by_video, is_playable, is_sensitive, viewer_for
from catalog.models import Pair, Video
from diptych.paging import PAGE_LIMIT_S, Order, Page, TookTooLong, counted, page, within
from diptych.spreadsheet import copy_table
from studies.models import Study
from studies.permissions import MAY_BROWSE, study_for


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str, listing: Listing) -> HttpResponse:
    """Show a page of prompts, videos, pairs or labels, filtered and ordered as the address says."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    filters, order = asked(request, study, listing)
    address = Address(request.GET)
    about: dict[str, Any] = {
        "study": study,
        "tab": listing.name,
        "filters": filters,
        "order": order,
        "orders": [(one, address.having("sort", one.name)) for one in listing.orders],
        "address": address,
        "csv": f"catalog:{listing.name}_csv",
    }
    if not filters.is_valid():
        return render(request, f"catalog/{listing.name}.html", about | {"wrong": True}, status=400)
    everything = listing.rows(study)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        narrowed = filters.narrow(everything)
        with within(PAGE_LIMIT_S):
            found = page(narrowed, everything, order, after=after, before=before, key=listing.key)
    except TookTooLong:
        return render(request, f"catalog/{listing.name}.html", about | {"too_long": True}, status=503)
    about |= {
        "page": found,
        "count": counted(narrowed, found),
        "rows": ROWS[listing.name](request, study, found),
        "hold_address": f"{reverse('catalog:hold_pairs', args=[study.slug])}{address.here}",
    }
    if listing is LABELS and not (after or before):
        about["label_counts"] = label_counts(narrowed)
    return render(request, f"catalog/{listing.name}.html", about)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str, listing: Listing) -> HttpResponseBase:
    """Send the whole list as CSV, filtered as the address says, in the order of import."""
    study = study_for(request, slug, roles=MAY_BROWSE)
    filters, _order = asked(request, study, listing)
    if not filters.is_valid():
        return refuse(filters)
    wanted = {name: value for name, value in filters.cleaned_data.items() if value not in ("", None)}
    after = {"list": listing.name, "filters": wanted}
    rows = filters.narrow(listing.rows(study)).order_by("pk")
    return send_list(
        request, study, lambda target: copy_table(listing.columns, rows, target), name=f"{listing.name}", about=after
    )


def asked(request: HttpRequest, study: Study, listing: Listing) -> tuple[Filters, Order]:
    """Return the filters and the order that the address names. Raises Http404 for an unknown order."""
    name = request.GET.get("sort", "")
    order = listing.order(name)
    if order is None:
        raise Http404(_("This list cannot be sorted by “%(name)s”.") % {"name": name})
    return listing.filters(request.GET, study=study), order


class Address:
    """The query of a list's address, without empty parameters and without the place in the list."""

    def __init__(self, query: QueryDict) -> None:
        self.query = QueryDict(mutable=True)
        place = {name: value for name in ("after", "before") if (value := query.get(name))}
        for name in query:
            value = str(query[name])
            if value and name not in {"after", "before"}:
                self.query[name] = value
        #: The query including the place in the list.
        self.here = self.having(*next(iter(place.items()))) if place else str(self)

    def having(self, name: str, value: str) -> str:
        """Return the query with this parameter. It leads to the first page unless the parameter is a place."""
        query = self.query.copy()
        query[name] = value
        return f"?{query.urlencode()}"

    def __str__(self) -> str:
        return f"?{self.query.urlencode()}" if self.query else ""


# --- Values of each list's rows beside their columns ----------------------------------------------------


def prompt_rows(_request: HttpRequest, study: Study, found: Page) -> list[dict[str, Any]]:
    """Return prompts with the numbers of their videos and pairs."""
    keys = [prompt.pk for prompt in found.rows]
    shown = Q(asset__quarantined_at=None) & ~Q(asset__in=hidden_in(study))
    videos = dict(Video.objects.filter(shown, prompt__in=keys).values_list("prompt").annotate(Count("pk")))
    pairs = dict(Pair.objects.usable().filter(study=study, prompt__in=keys).values_list("prompt").annotate(Count("pk")))
    return [
        {"prompt": prompt, "videos": videos.get(prompt.pk, 0), "pairs": pairs.get(prompt.pk, 0)}
        for prompt in found.rows
    ]


def video_rows(request: HttpRequest, study: Study, found: Page) -> list[dict[str, Any]]:
    """Return videos with their posters and the person's own filter."""
    viewer = viewer_for(request.user, study)  # type: ignore[arg-type]
    harms = harms_by_video(found.rows)
    rows = []
    for video in found.rows:
        sensitive = is_sensitive(video.prompt, harms[video.pk])
        poster = viewer.poster(video.asset) if is_playable(video.asset) else ""
        rows.append({"video": video, "poster": poster, "veil": viewer.veil(sensitive=sensitive)})
    return rows


def pair_rows(_request: HttpRequest, _study: Study, found: Page) -> list[dict[str, Any]]:
    """Return pairs with their states."""
    return [{"pair": pair, "state": state_of(pair)} for pair in found.rows]


def label_rows(_request: HttpRequest, _study: Study, found: Page) -> list[dict[str, Any]]:
    """Return labels with their values as people read them."""
    return [{"label": label, "value": label_value(label.value)} for label in found.rows]


def label_value(value: str | float | None) -> str:
    """Return the value of a label in words. Numbers lose the last digits, which binary fractions add."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:.12g}" if isinstance(value, float) else str(value)


ROWS: dict[str, Callable[[HttpRequest, Study, Page], list[dict[str, Any]]]] = {
    PROMPTS.name: prompt_rows,
    VIDEOS.name: video_rows,
    PAIRS.name: pair_rows,
    LABELS.name: label_rows,
}
