"""Pages that show lots: the list, one lot, its answers, and the form that puts batches together."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from catalog.library.files import send_list
from catalog.library.views import Address
from catalog.models import Batch, Pair
from diptych.paging import counted, page
from diptych.refusals import Refused
from qc import lot_answers, lot_charts, outcomes, plans, quality
from qc import lots as putting
from qc.forms import NewLotForm, ReasonForm
from qc.models import FrameItem, Lot, LotDecision
from qc.permissions import decides, deciding_study, lots_study
from studies.models import Study

ROWS_A_PAGE, LOTS_A_PAGE, BATCHES_A_PAGE = 100, 50, 100


def lot_of(study: Study, number: int) -> Lot:
    """Return the study's lot with this number. Raise Http404."""
    found = Lot.objects.select_related("study", "previous", "started_by", "decided_by")
    lot = found.filter(study=study, number=number).first()
    if lot is None:
        raise Http404(_("This study has no lot %(number)s.") % {"number": number})
    return lot


@require_safe
@never_cache
@login_required
def lots(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the study's lots, latest first, and the pooled rates of the decided ones."""
    study = lots_study(request, slug)
    found = Lot.objects.filter(study=study).prefetch_related("lot_batches__batch").order_by("-number")
    lots_page = Paginator(found, LOTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "page": lots_page,
        "rows": [(one, sorted(row.batch.number for row in one.lot_batches.all())) for one in lots_page.object_list],
        "decides": decides(study),
        "candidates": putting.candidates(study).exists(),
        "all": quality.of_study(study),
    }
    return render(request, "qc/lots.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the batches that can be put into a lot, and make a draft lot of the chosen ones on POST."""
    study = deciding_study(request, slug)
    candidates = list(putting.candidates(study))
    form = NewLotForm(request.POST if request.method == "POST" else None, batches=candidates)
    if form.is_valid():
        try:
            made = putting.put_together(study, form.cleaned_data["batches"], actor=cast(User, request.user))
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return redirect("qc:lot", slug=slug, number=made.number)
    previous = putting.returned_before(study, candidates)
    # Batches of a returned lot come together again, so they stand together.
    lots_of = {key: lot.number for key, lot in previous.items()}
    candidates.sort(key=lambda batch: (batch.pk not in lots_of, lots_of.get(batch.pk, 0), batch.number))
    batches = Paginator(candidates, BATCHES_A_PAGE).get_page(request.GET.get("page"))
    listed = list(batches.object_list)
    counts = putting.answers_of(listed)
    chosen = set(form.data.getlist("batches")) if form.is_bound else set()  # type: ignore[attr-defined]
    context = {
        "study": study,
        "form": form,
        "page": batches,
        "rows": [
            (batch, counts.get(batch.pk, 0), previous.get(batch.pk), str(batch.number) in chosen) for batch in listed
        ],
        "costs": [plans.plan_of(size, plans.terms_of(study)) for size in (20, 60, 100, 300, 1000)],
    }
    return render(request, "qc/new_lot.html", context, status=400 if form.is_bound else 200)


@require_safe
@never_cache
@login_required
def lot(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one lot: its plan before the review, its progress during it, and its rates and decisions after it."""
    study = lots_study(request, slug)
    return render(request, "qc/lot.html", about(study, lot_of(study, number)))


def about(study: Any, shown: Lot) -> dict[str, Any]:
    """Return the context of the page of a lot. Only those who decide see what was found before the decision."""
    context: dict[str, Any] = {
        "study": study,
        "lot": shown,
        "batches": putting.batches_of(shown),
        "decides": decides(study),
        "decisions": LotDecision.objects.filter(lot=shown).select_related("decided_by").order_by("-pk"),
        "next": Lot.objects.filter(previous=shown).first(),
        "reason_form": ReasonForm(),
    }
    if shown.state == Lot.State.DRAFT:
        preview = putting.preview(shown)
        context["preview"] = preview
        if preview.forecast:
            context["chart"] = lot_charts.of_lot(shown, preview.forecast.plan.size)
            context["curve_points"] = preview.forecast.table
        return context
    figures = quality.quality_of(shown)
    if shown.size:
        context["chart"] = lot_charts.of_lot(shown, shown.size)
        context["curve_points"] = plans.forecast(shown.size, shown, secondary_share=0).table
    context["left_out"] = Pair.objects.usable().filter(pk__in=shown.left_out).order_by("pk")
    context["secondary_left"] = outcomes.secondary_left(shown) if figures is None else 0
    if context["decides"] or shown.is_decided:
        context["figures"] = figures
        context["rates"] = rates_of(figures) if figures else []
        context["by_batch"] = [] if figures is None else by_batch(figures, context["batches"])
    return context


def by_batch(figures: quality.Quality, batches: list[Batch]) -> list[tuple[Batch, Any, Any]]:
    """Return each batch of the sample with its counts and its rate."""
    sampled = [batch for batch in batches if batch.pk in figures.by_batch]
    return [(batch, figures.by_batch[batch.pk], figures.batch_rate(batch.pk)) for batch in sampled]


def rates_of(figures: quality.Quality) -> list[dict[str, Any]]:
    """Return the three rates, each with its title, what it is of, its defects, and the part of their rows."""
    return [
        {
            "title": _("Before review"),
            "of": _("first revisions of all frozen answers"),
            "rate": figures.before,
            "defects": figures.first.defects,
            "drawn": figures.first.drawn,
            "part": "first",
            "defects_part": "first_defects",
        },
        {
            "title": _("After the secondary review"),
            "of": _("answers that still counted when the sample was drawn"),
            "rate": figures.after,
            "defects": figures.deciding.defects,
            "drawn": figures.deciding.drawn,
            "part": "sample",
            "defects_part": "defects",
        },
        {
            "title": _("Released"),
            "of": _("the same answers without the defects that were found"),
            "rate": figures.released,
            "defects": figures.deciding.defects,
            "drawn": figures.deciding.drawn,
            "part": "sample",
            "defects_part": "defects",
        },
    ]


@dataclass(frozen=True, slots=True)
class AskedAnswers:
    """The frozen answers that an address asks for. `chosen` has its `batch` and `person`, if they are given."""

    lot: Lot
    part: str
    chosen: dict[str, int]

    def rows(self) -> QuerySet[FrameItem]:
        return lot_answers.items(self.lot, self.part, **self.chosen)


def asked_answers(request: HttpRequest, slug: str, number: int) -> AskedAnswers:
    """Return what an address asks for, for people who decide lots. Raise Http404 or PermissionDenied."""
    study = deciding_study(request, slug)
    shown = lot_of(study, number)
    shown.study = study
    part = request.GET.get("part", "frame")
    if part not in lot_answers.PARTS:
        raise Http404(_("A lot has no such part."))
    given = {name: request.GET.get(name, "") for name in ("batch", "person")}
    if any(value and not (value.isascii() and value.isdigit() and len(value) < 10) for value in given.values()):
        raise Http404(_("A lot has no such part."))
    return AskedAnswers(shown, part, {name: int(value) for name, value in given.items() if value})


@require_safe
@never_cache
@login_required
def answers(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """List the frozen answers behind one number of a lot. `part`, `batch` and `person` in the address choose them."""
    asked = asked_answers(request, slug, number)
    everything, narrowed = lot_answers.with_rows(FrameItem.objects.filter(lot=asked.lot)), asked.rows()
    place = {name: request.GET.get(name, "") for name in ("after", "before")}
    found = page(narrowed, everything, lot_answers.ORDER, **place, size=ROWS_A_PAGE, key="pk")
    keys = [item.pk for item in found.rows]
    ends = outcomes.outcomes_of(asked.lot, keys) if asked.lot.drawn_at else {}
    whys = lot_answers.look_reasons(asked.lot, keys) if asked.part == "looked" else {}
    context = {
        "study": asked.lot.study,
        "lot": asked.lot,
        "part": asked.part,
        "title": lot_answers.PARTS[asked.part][0],
        "page": found,
        "count": counted(narrowed, found),
        "rows": [(item, ends.get(item.pk), whys.get(item.pk)) for item in found.rows],
        "address": Address(request.GET),
        **asked.chosen,
    }
    return render(request, "qc/lot_answers.html", context)


@require_safe
@never_cache
@login_required
def answers_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send the same answers as CSV, with verdicts if the lot is decided."""
    asked = asked_answers(request, slug, number)
    study, _person = asked.lot.study, cast(User, request.user)
    after = {"list": "answers of a lot", "lot": asked.lot.number, "filters": {"part": asked.part} | asked.chosen}
    return send_list(
        request,
        study,
        lambda target: lot_answers.copy_as_csv(asked.lot, asked.rows(), target),
        name=f"lot-{asked.lot.number}-answers",
        about=after,
    )
