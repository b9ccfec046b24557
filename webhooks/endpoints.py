"""Make, change and delete endpoints, and replace their secrets."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.models import User
from diptych.refusals import BadInput, Refused
from studies.models import Study
from webhooks import event_types, networks, switching
from webhooks.models import LONGEST_ADDRESS, Delivery, Endpoint, Event, Secret

MOST_ENDPOINTS = 20
#: How long an earlier secret stays valid after it was replaced.
OLD_SECRET_LASTS = timedelta(hours=24)
#: The most secrets of an endpoint that are valid at the same time.
MOST_SECRETS = 5
SECRET_BYTES = 32


def create(study: Study, *, address: str, events: Collection[str], actor: User) -> tuple[Endpoint, str]:
    """Make an endpoint. Return it with its secret, which is not shown again. Raise BadInput and Refused."""
    address, chosen = checked_address(address), checked_events(events)
    with transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)  # of two at once, the second counts the first
        if Endpoint.objects.filter(study=study).count() >= MOST_ENDPOINTS:
            about = {"most": MOST_ENDPOINTS}
            raise Refused(_("A study can have %(most)s endpoints. Delete one that is not needed.") % about, "too_many")
        endpoint = _saved(Endpoint(study=study, address=address, events=chosen, created_by=actor))
        text = _new_secret(endpoint)
        audit.record("webhook.created", endpoint, actor=actor, study_slug=study.slug, after=_facts(endpoint))
    return endpoint, text


def change(
    endpoint: Endpoint, *, actor: User, address: str | None = None, events: Collection[str] | None = None
) -> bool:
    """Change the address or the events of an endpoint. Return whether anything changed. Raise BadInput and Refused."""
    with transaction.atomic():
        present = _require(endpoint)
        before = _facts(present)
        if address is not None:
            present.address = checked_address(address)
        if events is not None:
            present.events = checked_events(events)
        after = _facts(present)
        if before == after:
            return False
        _saved(present, ["address", "events"])
        slug = present.study.slug
        audit.record("webhook.changed", present, actor=actor, study_slug=slug, before=before, after=after)
    return True


@transaction.atomic
def delete(endpoint: Endpoint, *, actor: User) -> bool:
    """Delete an endpoint with its secrets and deliveries. Return False if somebody deleted it before."""
    present = Endpoint.objects.select_related("study").select_for_update(of=("self",)).filter(pk=endpoint.pk).first()
    if present is None:
        return False
    Delivery.objects.filter(endpoint=present).delete()
    Event.objects.filter(study=present.study_id, deliveries=None).delete()
    audit.record("webhook.deleted", present, actor=actor, study_slug=present.study.slug, before=_facts(present))
    present.delete()
    return True


@transaction.atomic
def replace_secret(endpoint: Endpoint, *, actor: User) -> str:
    """Give an endpoint a new secret and return it. For `OLD_SECRET_LASTS` both sign. Raise Refused."""
    present, now = _require(endpoint), timezone.now()
    if Secret.objects.filter(endpoint=present, valid_until__gt=now).count() >= MOST_SECRETS - 1:
        raise Refused(
            _("The secret was replaced too often within a day. End the earlier secrets first, or wait."), "too_many"
        )
    Secret.objects.filter(endpoint=present, valid_until=None).update(valid_until=now + OLD_SECRET_LASTS)
    text = _new_secret(present)
    audit.record("webhook.secret_replaced", present, actor=actor, study_slug=present.study.slug)
    return text


@transaction.atomic
def end_old_secrets(endpoint: Endpoint, *, actor: User) -> bool:
    """End the earlier secrets of an endpoint now. Return whether there were any."""
    present = _require(endpoint)
    ended, _rows = Secret.objects.filter(endpoint=present, valid_until__isnull=False).delete()
    if ended:
        audit.record("webhook.old_secrets_ended", present, actor=actor, study_slug=present.study.slug)
    return bool(ended)


def old_secrets_until(endpoint: Endpoint) -> datetime | None:
    """Return when the last of the earlier secrets ends, or None if only the present one is valid."""
    old = Secret.objects.filter(endpoint=endpoint, valid_until__gt=timezone.now())
    return old.order_by("-valid_until").values_list("valid_until", flat=True).first()


def _new_secret(endpoint: Endpoint) -> str:
    text = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    Secret.objects.create(endpoint=endpoint, text=text)
    return text


def _require(endpoint: Endpoint) -> Endpoint:
    present = switching.locked(endpoint.pk)
    if present is None:
        raise Refused(_("Somebody has deleted this endpoint."), "deleted")
    return present


def _saved(endpoint: Endpoint, columns: list[str] | None = None) -> Endpoint:
    try:
        with transaction.atomic():
            endpoint.save(update_fields=columns)
    except IntegrityError as error:
        if "endpoint_address_once" not in str(error):
            raise
        sentence = _("The study already has an endpoint with this address. Change that one instead.")
        raise Refused(sentence, "address_exists") from error
    return endpoint


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    return {"address": endpoint.address, "events": list(endpoint.events)}


# --- What people enter ------------------------------------------------------------------------------------------


def checked_events(events: Collection[str]) -> list[str]:
    """Return the chosen types in the order of their registration. Raise BadInput."""
    known = event_types.choices()
    if unknown := sorted(set(events) - known.keys()):
        about = {"unknown": ", ".join(unknown), "known": ", ".join(known)}
        raise BadInput(
            _("There are no events of the type %(unknown)s. Choose among: %(known)s.") % about, field="events"
        )
    if not events:
        raise BadInput(_("Choose at least one event."), field="events")
    return [key for key in known if key in set(events)]


def checked_address(text: str) -> str:
    """Return an address to which webhooks can be sent. Raise BadInput.

    Names are only looked up when something is sent: what they lead to can change at any time.
    """
    address = text.strip()
    if wrong := _wrong_with(address):
        raise BadInput(wrong, field="address")
    return address


def _wrong_with(address: str) -> str:
    """Return what is wrong with an address, or nothing."""
    if not address or len(address) > LONGEST_ADDRESS:
        return _("Enter an address of at most %(most)s characters.") % {"most": LONGEST_ADDRESS}
    if not (address.isascii() and address.isprintable()) or " " in address or "\\" in address:
        return _("Use only ASCII characters without spaces. Write an international host name in its form “xn--…”.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return _("The address cannot be read. Check the host and the port.")
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return _("Enter a whole address with a host, such as https://example.org/hooks.")
    if parts.username is not None or parts.password is not None:
        return _("Leave out the user name and the password. The signature shows who sent the event.")
    if "#" in address:
        return _("Leave out the part after “#”. It is never sent.")
    return _wrong_network(parts)


def _wrong_network(parts: SplitResult) -> str:
    encrypted = parts.scheme == "https"
    if not encrypted and not settings.WEBHOOK_PRIVATE_NETWORKS:
        return _("Enter an address with https://. This installation allows http:// in no network.")
    try:
        ip_address(parts.hostname or "")
        allowed = networks.may_reach(networks.read(parts.hostname or ""), encrypted=encrypted)
    except ValueError:  # a name
        return ""
    if allowed:
        return ""
    return _(
        "Webhooks are not sent to this network. Ask the operator of this installation to allow it, or use an address "
        "of the public internet."
    )


# --- What the settings pages say --------------------------------------------------------------------------------


def notice(study: Study) -> str:
    """Return a sentence about endpoints that were turned off by themselves, for the settings pages of the study."""
    number = Endpoint.objects.filter(study=study, off_because__in=["gone", "failing"]).count()
    if not number:
        return ""
    return ngettext(
        "%(number)s webhook endpoint could not be reached and was turned off. An admin can turn it on under Webhooks.",
        "%(number)s webhook endpoints could not be reached and were turned off. An admin can turn them on under "
        "Webhooks.",
        number,
    ) % {"number": number}
