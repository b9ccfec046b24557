"""The page on which superusers appoint safety officers and end appointments."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from diptych.database.natural import Natural
from diptych.refusals import Refused
from safety import officers as appointments
from safety.forms import OfficerForm
from safety.models import Officer
from safety.permissions import require_superuser

MOST_PAST_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def officers(request: HttpRequest) -> HttpResponse:
    """List the current and former safety officers, and appoint new ones."""
    superuser = require_superuser(request)
    form = OfficerForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        person, study = form.cleaned_data["username"], form.cleaned_data["study"]
        try:
            appointments.appoint(person, study, by=superuser, until=form.cleaned_data["until"])
        except Refused as trouble:
            form.add_error(None, str(trouble))
        else:
            messages.success(request, _("%(name)s is a safety officer now.") % {"name": person.username})
            return redirect("safety:officers")
    rows = Officer.objects.select_related("person", "study", "appointed_by")
    in_force = rows.in_force()
    context = {
        "form": form,
        "present": in_force.order_by(Natural("study__title"), "study_id", Natural("person__username"), "pk"),
        "past": rows.filter(until__lte=Now()).order_by("-until")[:MOST_PAST_SHOWN],
        "has_officer": in_force.of_installation().exists(),
    }
    return render(request, "safety/officers.html", context, status=400 if form.is_bound else 200)


@require_POST
@never_cache
@login_required
def dismiss(request: HttpRequest, officer_id: int) -> HttpResponse:
    """End an appointment."""
    superuser = require_superuser(request)
    officer = get_object_or_404(Officer.objects.select_related("person", "study"), pk=officer_id)
    appointments.dismiss(officer, by=superuser)
    messages.success(request, _("%(name)s is no longer a safety officer there.") % {"name": officer.person.username})
    return redirect("safety:officers")
