"""Who sees and sets the webhooks of a study. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_SET_WEBHOOKS, row_of_study, study_for
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
    of_study = {"study__slug": slug} if slug else {}
    rows = Endpoint.objects.select_related("study").filter(pk=endpoint_id, **of_study)
    return row_of_study(request, rows, webhooks_study, _("There is no endpoint %(id)s.") % {"id": endpoint_id})


def delivery_of(request: HttpRequest | Request, delivery_id: int, slug: str = "") -> Delivery:
    """Return the delivery, for people who set its endpoint. Raise Http404 or PermissionDenied."""
    of_study = {"study__slug": slug} if slug else {}
    rows = Delivery.objects.select_related("event", "study", "endpoint").filter(pk=delivery_id, **of_study)
    delivery = row_of_study(request, rows, webhooks_study, _("There is no delivery %(id)s.") % {"id": delivery_id})
    delivery.endpoint.study = delivery.study
    return delivery
