"""Pages of a study's imports: the list, the form for a new one, and the page of each import."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from catalog.library.listing import NEWEST
from diptych import downloads, json_lines, paging
from diptych.downloads import CopyFile
from diptych.refusals import NotThere, Refused
from importing import job_pages, jobs, uploads
from importing.forms import ImportForm
from importing.models import Import
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_IMPORT, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

View = Callable[..., HttpResponseBase]


def of_one_study(view: View) -> View:
    """Give the view the study. Only people who can import into the study can open the view."""

    @wraps(view)
    @never_cache
    @login_required
    def guarded(request: HttpRequest, slug: str, **values: Any) -> HttpResponseBase:
        return view(request, study_for(request, slug, roles=MAY_IMPORT), **values)

    return guarded


def of_one_import(view: View) -> View:
    """Give the view the import. Only people who can import into its study can open the view."""

    @wraps(view)
    @of_one_study
    def guarded(
        request: HttpRequest, study: "WithAnnotations[Study, HasRoles]", import_id: str, **values: Any
    ) -> HttpResponseBase:
        found = Import.objects.select_related("asked_by").filter(study=study, public_id=import_id).first()
        if found is None:
            raise Http404(_("There is no such import in this study."))
        found.study = study
        return view(request, found, **values)

    return guarded


def page_of(job: Import) -> str:
    """Return the address of the import's page."""
    return reverse("importing:import", args=[job.study.slug, job.public_id])


def person_of(request: HttpRequest) -> User:
    """Return the signed-in person."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    return person


@require_safe
@of_one_study
def imports(request: HttpRequest, study: Study) -> HttpResponse:
    """Show a page of the study's imports, the newest first."""
    found = Import.objects.filter(study=study).select_related("asked_by")
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        page = paging.page(found, found, NEWEST, after=after, before=before)
    except NotThere:
        page = paging.page(found, found, NEWEST)
    rows = [{"job": job, "outcome": job_pages.outcome(job)} for job in page.rows]
    return render(request, "importing/imports.html", {"study": study, "rows": rows, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@of_one_study
def new(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the form for a new import, and start it."""
    form = ImportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            job = jobs.ask(
                study,
                source=values["source"],
                location=values["location"],
                options=form.options(),
                actor=person_of(request),
            )
        except Refused as trouble:
            form.add_error("location" if values["source"] == Import.Source.SERVER else None, str(trouble))
        else:
            return redirect(page_of(job))
    status = 400 if form.is_bound else 200
    return render(request, "importing/new.html", {"study": study, "form": form}, status=status)


@require_safe
@of_one_import
def one(request: HttpRequest, job: Import) -> HttpResponse:
    """Show the progress or the outcome of an import."""
    context = {"study": job.study, "job": job} | job_pages.facts(job)
    if job.state == Import.State.COLLECTING:
        context |= {"collected": uploads.collected(job), "piece_bytes": uploads.PIECE_BYTES}
    return render(request, "importing/import.html", context)


@require_safe
@of_one_import
def progress(request: HttpRequest, job: Import) -> JsonResponse:
    """Return the parts of the page that change while the import waits or runs."""
    return JsonResponse(job_pages.card(job).live())


@require_POST
@of_one_import
def begin(request: HttpRequest, job: Import) -> HttpResponse:
    """Start an import whose files are all uploaded."""
    return _attempt(request, job, jobs.begin)


@require_POST
@of_one_import
def cancel(request: HttpRequest, job: Import) -> HttpResponse:
    """Cancel an import that has not ended."""
    return _attempt(request, job, jobs.cancel)


@require_POST
@of_one_import
def again(request: HttpRequest, job: Import) -> HttpResponse:
    """Start the import again: the same, only its good rows, without dry run, or with another encoding."""
    changes: dict[str, dict[str, Any]] = {
        "skip_bad": {"skip_bad": True},
        "for_real": {"dry_run": False},
        "name_encoding": {"name_encoding": request.POST.get("name_encoding", "")},
    }
    change = changes.get(request.POST.get("change", ""))
    return _attempt(request, job, jobs.again, **({"options": job.options | change} if change else {}))


def _attempt(request: HttpRequest, job: Import, act: Callable[..., Import | None], **values: Any) -> HttpResponse:
    """Call `act` and redirect to the page of the import or the new import. The page shows a refusal."""
    try:
        job = act(job, actor=person_of(request), **values) or job
    except Refused as trouble:
        messages.error(request, str(trouble))
    return redirect(page_of(job))


@require_safe
@of_one_import
def bad_rows_as_csv(request: HttpRequest, job: Import) -> HttpResponseBase:
    """Download the bad rows as a table: all, or those of one cause."""
    return bad_rows(request, job, job_pages.copy_as_csv, "csv", downloads.CSV, _cause(request))


@require_safe
@of_one_import
def bad_rows_as_jsonl(request: HttpRequest, job: Import) -> HttpResponseBase:
    """Download the bad rows, one JSON object per line: all, or those of one cause."""
    return bad_rows(request, job, job_pages.copy_as_jsonl, "jsonl", json_lines.MEDIA_TYPE, _cause(request))


def _cause(request: HttpRequest) -> int | None:
    """Return the number of the cause in the address, or None if it has none that can be read."""
    given = request.GET.get("cause", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def bad_rows(
    request: HttpRequest,
    job: Import,
    copy: Callable[[Import, CopyFile, int | None], None],
    ending: str,
    content_type: str,
    cause: int | None,
) -> HttpResponseBase:
    """Return the bad rows as a file. Raises Http404 if there are none, or their file was deleted.

    Args:
        cause: the number of the shared fault whose rows are wanted. None for all rows.
    """
    if not job.bad_rows:
        raise Http404(_("This import has no bad rows."))
    part = "" if cause is None else f"-cause-{cause}"
    try:
        return downloads.send(
            request,
            lambda target: copy(job, target, cause),
            name=f"{job.study.slug}-{job.public_id[:8]}-bad-rows{part}.{ending}",
            content_type=content_type,
        )
    except FileNotFoundError:
        raise Http404(_("The bad rows of this import are no longer stored.")) from None
