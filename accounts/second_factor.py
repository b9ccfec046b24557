"""A second factor beside the password: codes of an authenticator app (RFC 6238), and backup codes for one use each.

Only some actions ask for it. Signing in does not. The session remembers when a code was given, and each action says
for how long that counts. After wrong codes, django-otp makes the person wait 1, 2, 4, 8 seconds and so on.
"""

import time
from base64 import b32encode
from datetime import datetime

import django_otp
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit
from accounts.models import User
from diptych.refusals import BadInput

#: Seconds for which a code opens pages, and for which it opens reported videos.
OPENS_PAGES_S = 3600
OPENS_MEDIA_S = 600
BACKUP_CODES = 10
SESSION_KEY = "second_factor"


def has_one(person: User) -> bool:
    """Return whether the person has set up a second factor."""
    return TOTPDevice.objects.filter(user=person, confirmed=True).exists()


def given_within(request: HttpRequest, seconds: int) -> bool:
    """Return whether the session's person gave a code of a current device within this many seconds."""
    given = request.session.get(SESSION_KEY)
    if not given or not 0 <= time.time() - given["at"] <= seconds:
        return False
    device = Device.from_persistent_id(given["device"])
    return device is not None and device.confirmed and device.user_id == request.user.pk


def remember(request: HttpRequest, device: Device) -> None:
    """Record in the session that a code was given now. The session gets a new key, as after signing in."""
    request.session[SESSION_KEY] = {"device": device.persistent_id, "at": time.time()}
    request.session.cycle_key()


@transaction.atomic
def new_device(person: User) -> TOTPDevice:
    """Return the device that the person is setting up. It is the same until the person uses it."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)  # so that two tabs set up the same device
    device, _ = TOTPDevice.objects.get_or_create(user=person, confirmed=False, defaults={"name": "app"})
    return device


def secret(device: TOTPDevice) -> str:
    """Return the secret for apps that cannot scan the picture: base 32, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def enrol(person: User, code: str) -> tuple[TOTPDevice, list[str]]:
    """Start to use the new device instead of any other. Return the device and new backup codes, which are shown once.

    Raises BadInput if the code is wrong.
    """
    device = new_device(person)
    _verify(person, device, code)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        TOTPDevice.objects.filter(user=person).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        device.refresh_from_db()
        audit.record("second_factor.set_up", person, actor=person)
        return device, _fresh_backup_codes(person)


@transaction.atomic
def replace_backup_codes(person: User) -> list[str]:
    """Replace the backup codes and return the new ones, which are shown once. The old codes stop working."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    audit.record("second_factor.backup_codes_replaced", person, actor=person)
    return _fresh_backup_codes(person)


def _fresh_backup_codes(person: User) -> list[str]:
    # The device row stays, because it counts the wrong guesses.
    holder, _ = StaticDevice.objects.get_or_create(user=person, defaults={"name": "backup codes"})
    holder.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=holder, token=code) for code in codes])
    return codes


def verify(person: User, code: str) -> Device:
    """Return the device of the code: six digits are the app's, anything else is a backup code. Raises BadInput."""
    code = "".join(code.split()).replace("-", "").lower()
    kind = TOTPDevice if code.isdigit() and len(code) == 6 else StaticDevice
    device = kind.objects.filter(user=person, confirmed=True).first()
    if device is None:
        raise _wrong_code(None)
    _verify(person, device, code)
    return device


def _verify(person: User, device: Device, code: str) -> None:
    """Use the code up. Raises BadInput if it is wrong. The attempt is recorded in both cases."""
    with transaction.atomic():
        right = django_otp.verify_token(person, device.persistent_id, "".join(code.split()))
        audit.record("second_factor.given" if right else "second_factor.refused", person, actor=person)
    if not right:
        device.refresh_from_db()
        _, why = device.verify_is_allowed()
        raise _wrong_code(why["locked_until"] if why else None)


def _wrong_code(locked_until: datetime | None) -> BadInput:
    """Return the error for a wrong code. `locked_until` is when the next code can be tried, if that is not now."""
    if locked_until is None:
        return BadInput(
            _("This code is wrong. The app shows a new code every 30 seconds. Enter the one it shows now."),
            "wrong_code",
        )
    seconds = max(1, int((locked_until - timezone.now()).total_seconds()) + 1)
    sentence = ngettext(
        "This code was not accepted. Wait %(count)s second, then enter the code that the app shows.",
        "This code was not accepted. Wait %(count)s seconds, then enter the code that the app shows.",
        seconds,
    )
    return BadInput(sentence % {"count": seconds}, "wrong_code")


@transaction.atomic
def remove(person: User, *, actor: User | None = None) -> None:
    """Remove a lost second factor, so that the person can set up a new one."""
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    audit.record("second_factor.removed", person, actor=actor)
