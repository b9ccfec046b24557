"""Pages that undo an import and delete a study, each after a confirmation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.removal import count_material
from diptych.refusals import Refused
from importing.models import Import
from importing.views import of_one_import, page_of, person_of
from removal import orders, pages
from removal.models import Removal
from removal.permissions import removal_for
from studies.models import Study
from studies.permissions import MAY_DELETE, study_for
from studies.setting_groups import GROUPS


@require_http_methods(["GET", "HEAD", "POST"])
@of_one_import
def undo(request: HttpRequest, job: Import) -> HttpResponse:
    """Show what would be removed, and undo the import after confirmation."""
    try:
        if request.method == "POST":
            return _after(request, orders.undo_import(job, actor=person_of(request)), page_of(job))
        orders.refuse_if_not_undoable(job)
    except Refused as trouble:
        messages.error(request, str(trouble))
        return redirect(page_of(job))
    counts = count_material(job.study_id, Q(import_number=job.pk))
    return render(request, "removal/undo.html", {"study": job.study, "job": job, "counts": counts})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what would be deleted, and delete the study when its address is typed."""
    study: Study = study_for(request, slug, roles=MAY_DELETE)
    wrong = ""
    if request.method == "POST":
        if request.POST.get("slug", "").strip() != study.slug:
            wrong = _("This is not the study’s address. Nothing was deleted.")
        else:
            try:
                return _after(request, orders.delete_study(study, actor=person_of(request)), reverse("home"))
            except Refused as trouble:
                wrong = str(trouble)
    context = {"study": study, "groups": GROUPS, "here_setting": "delete", "wrong": wrong}
    context["counts"] = count_material(study.pk, Q())
    return render(request, "removal/delete_study.html", context, status=400 if wrong else 200)


def _after(request: HttpRequest, job: Removal, page: str) -> HttpResponse:
    """Redirect to `page` with the outcome of a removal, or to the removal's own page while it is not done."""
    if job.state != Removal.State.DONE:
        return redirect("removal:removal", removal_id=job.pk)
    messages.success(request, f"{pages.card(job).title}. {pages.outcome(job)}")
    return redirect(page)


@require_safe
@never_cache
@login_required
def removal(request: HttpRequest, removal_id: int) -> HttpResponse:
    """Show the progress or the outcome of a removal. The study may no longer exist."""
    job = removal_for(request, removal_id)
    study = Study.objects.filter(pk=job.study_number).first()
    return render(request, "removal/removal.html", {"job": job, "card": pages.card(job), "of_study": study})


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, removal_id: int) -> JsonResponse:
    """Return the parts of the page that change while a removal waits or runs."""
    return JsonResponse(pages.card(removal_for(request, removal_id)).live())


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, removal_id: int) -> HttpResponse:
    """Cancel a removal, so that nothing is removed."""
    orders.cancel(removal_for(request, removal_id), actor=person_of(request))
    return redirect("removal:removal", removal_id=removal_id)
