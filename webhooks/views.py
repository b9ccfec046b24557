"""Settings pages of a study's webhooks. The text of a secret is only in the response to the request that made it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from diptych import paging
from diptych.refusals import Refused
from studies.models import Study
from studies.setting_groups import GROUPS
from webhooks import deliveries, endpoints, switching
from webhooks.forms import EndpointForm
from webhooks.models import Delivery, Endpoint
from webhooks.permissions import delivery_of, endpoint_of, webhooks_study

LATEST = paging.Order("latest", "", descending=True)


def context(study: Study, **more: Any) -> dict[str, Any]:
    """Return the context that the pages of webhooks share."""
    return {"study": study, "groups": GROUPS, "here_setting": "webhooks"} | more


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def endpoints_page(request: HttpRequest, slug: str) -> HttpResponse:
    """List the endpoints of a study, and make a new one on POST."""
    study = webhooks_study(request, slug)
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made, secret = endpoints.create(study, actor=cast(User, request.user), **form.cleaned_data)
        except Refused as refusal:
            add_error(form, refusal)
        else:
            return render(request, "webhooks/secret.html", context(study, endpoint=made, secret=secret, is_new=True))
    rows = Endpoint.objects.filter(study=study).order_by("address", "pk")
    shown = context(study, endpoints=rows, form=form)
    return render(request, "webhooks/endpoints.html", shown, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def endpoint_page(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """Show an endpoint with its deliveries, and change it on POST."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    initial = {"address": endpoint.address, "events": endpoint.events}
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            changed = endpoints.change(endpoint, actor=cast(User, request.user), **form.cleaned_data)
        except Refused as refusal:
            add_error(form, refusal)
        else:
            messages.success(request, _("Saved.") if changed else _("There were no changes, so nothing was saved."))
            return back_to(endpoint)
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event")
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = paging.page(rows, rows, LATEST, after=after, before=before, key="pk")
    shown = context(
        endpoint.study,
        endpoint=endpoint,
        form=form,
        old_secrets_until=endpoints.old_secrets_until(endpoint),
        page=page,
    )
    return render(request, "webhooks/endpoint.html", shown, status=400 if form.is_bound else 200)


def add_error(form: EndpointForm, refusal: Refused) -> None:
    """Show a refusal at the field that it is about, or above the form."""
    form.add_error(getattr(refusal, "field", "") or None, refusal.sentence)


def back_to(endpoint: Endpoint) -> HttpResponse:
    """Redirect to the page of the endpoint."""
    return redirect("webhooks:endpoint", slug=endpoint.study.slug, endpoint_id=endpoint.pk)


@require_POST
@never_cache
@login_required
def replace_secret(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """Replace the secret of an endpoint, and show the new one once."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    try:
        secret = endpoints.replace_secret(endpoint, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return back_to(endpoint)
    until = endpoints.old_secrets_until(endpoint)
    shown = context(endpoint.study, endpoint=endpoint, secret=secret, old_secrets_until=until)
    return render(request, "webhooks/secret.html", shown)


@require_POST
@never_cache
@login_required
def end_old_secrets(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """End the earlier secrets of an endpoint."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    endpoints.end_old_secrets(endpoint, actor=cast(User, request.user))
    messages.success(request, _("Only the present secret is valid now."))
    return back_to(endpoint)


@require_POST
@never_cache
@login_required
def switch(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """Turn an endpoint on or off."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    person = cast(User, request.user)
    if request.POST.get("to") == "on":
        switching.turn_on(endpoint, actor=person)
        messages.success(request, _("The endpoint is on. It gets events that happen from now on."))
    else:
        switching.turn_off(endpoint, Endpoint.Off.BY_ADMIN, actor=person)
        messages.success(request, _("The endpoint is off. Nothing is sent to it."))
    return back_to(endpoint)


@require_POST
@never_cache
@login_required
def test(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """Send a test event to an endpoint."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    try:
        deliveries.send_test(endpoint, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The test event is being sent. Reload this page to see the response."))
    return back_to(endpoint)


@require_POST
@never_cache
@login_required
def send_again(request: HttpRequest, slug: str, delivery_id: int) -> HttpResponse:
    """Send an event to its endpoint once more."""
    delivery = delivery_of(request, delivery_id, slug)
    try:
        is_sent = deliveries.send_again(delivery, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        sent = _("The event is being sent again. Reload this page to see the response.")
        messages.success(request, sent if is_sent else _("This event is already being sent."))
    return back_to(delivery.endpoint)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def delete(request: HttpRequest, slug: str, endpoint_id: int) -> HttpResponse:
    """Ask for confirmation, then delete an endpoint with its deliveries."""
    endpoint = endpoint_of(request, endpoint_id, slug)
    if request.method != "POST":
        return render(request, "webhooks/delete.html", context(endpoint.study, endpoint=endpoint))
    endpoints.delete(endpoint, actor=cast(User, request.user))
    messages.success(request, _("The endpoint was deleted. Nothing is sent to it any more."))
    return redirect("webhooks:endpoints", slug=slug)
