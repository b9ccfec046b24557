"""Who sees and sets the webhooks of a study. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_SET_WEBHOOKS, study_for
from webhooks.models import Delivery, Endpoint

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def webhooks_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who set its webhooks. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SET_WEBHOOKS)


def endpoint_of(request: HttpRequest | Request, endpoint_id: int, slug: str = "") -> Endpoint:
    """Return the endpoint with its study, for people who set it. Raise Http404 or PermissionDenied.

    Args:
        slug: the study in the address, if it has one.
    """
    found = Endpoint.objects.select_related("study")
    endpoint = found.filter(pk=endpoint_id, **{"study__slug": slug} if slug else {}).first()
    if endpoint is None:
        raise Http404(_("There is no endpoint %(id)s.") % {"id": endpoint_id})
    endpoint.study = webhooks_study(request, endpoint.study.slug)
    return endpoint


def delivery_of(request: HttpRequest | Request, delivery_id: int, slug: str = "") -> Delivery:
    """Return the delivery, for people who set its endpoint. Raise Http404 or PermissionDenied."""
    found = Delivery.objects.select_related("event")
    delivery = found.filter(pk=delivery_id, **{"study__slug": slug} if slug else {}).first()
    if delivery is None:
        raise Http404(_("There is no delivery %(id)s.") % {"id": delivery_id})
    delivery.endpoint = endpoint_of(request, delivery.endpoint_id)
    return delivery
