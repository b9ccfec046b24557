"""Tell safety officers that a report waits: with a number on their pages, and by e-mail if it is configured.

An e-mail says only that something waits. It does not say what it is or who reported it.
"""

import logging
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.menu import MenuLink
from accounts.models import User
from diptych.broker import broker
from diptych.database.fixed import fetch_one
from safety.models import Officer, Quarantine
from safety.permissions import sees_reports
from studies import home

logger = logging.getLogger(__name__)

#: For people who are not officers, this query only looks into the index on appointments.
OPEN_REPORTS = """
WITH appointed AS MATERIALIZED (
    SELECT study_id FROM safety_officer
     WHERE person_id = %(person)s AND from_at <= statement_timestamp()
       AND (until IS NULL OR until > statement_timestamp())
)
SELECT EXISTS (SELECT FROM appointed),
       CASE WHEN EXISTS (SELECT FROM appointed) THEN (
           SELECT count(*) FROM safety_quarantine quarantine
            WHERE quarantine.released_at IS NULL AND quarantine.confirmed_at IS NULL
              AND (EXISTS (SELECT FROM appointed WHERE study_id IS NULL)
                   OR EXISTS (SELECT FROM catalog_video video JOIN appointed ON appointed.study_id = video.study_id
                               WHERE video.asset_id = quarantine.asset_id))
       ) ELSE 0 END
"""


class Duty(NamedTuple):
    """Whether a person is a safety officer, and how many undecided reports they can see."""

    is_officer: bool
    waiting: int


def duty_of(request: HttpRequest) -> Duty:
    """Return the safety duty of the person of the request. It runs at most one query per request."""
    known: Duty | None = getattr(request, "safety_duty", None)
    if known is None:
        known = Duty(False, 0)
        if request.user.is_authenticated:
            row = fetch_one(OPEN_REPORTS, {"person": request.user.pk})
            known = Duty(*row) if row else known
        request.safety_duty = known  # type: ignore[attr-defined]
    return known


def home_duty(request: HttpRequest) -> home.Duty | None:
    """Return what the home page shows to a safety officer. Return None for anybody else."""
    if not duty_of(request).is_officer:
        return None
    return home.Duty(
        _("You are a safety officer"),
        _("Videos that annotators report as illegal are listed under Reports. You need a second factor to open them."),
        _("Open reports"),
        reverse("safety:reports"),
    )


def menu_links(request: HttpRequest) -> list[MenuLink]:
    """Return the menu links: the reports for safety officers, and the officers for superusers."""
    links = []
    if duty_of(request).is_officer:
        links.append(MenuLink(_("Reports"), reverse("safety:reports")))
    if request.user.is_superuser:
        links.append(MenuLink(_("Safety officers"), reverse("safety:officers")))
    return links


def announce_after_commit(quarantine: Quarantine) -> None:
    """Ask a worker to send e-mail about a new report after the commit, if e-mail is configured."""

    def announce() -> None:  # a named function, because Django logs the name of what failed
        broker.send("safety.tasks.mail_officers", [quarantine.pk])

    if settings.EMAIL_HOST:
        transaction.on_commit(announce, robust=True)


def unmailed() -> QuerySet[Quarantine]:
    """Return undecided quarantines about which no officer has got an e-mail."""
    return Quarantine.objects.filter(released_at=None, confirmed_at=None, officers_mailed_at=None)


def mail() -> int:
    """Send each officer one e-mail about all new reports that they can see. Return how many e-mails were sent.

    A report is marked after somebody was notified of it. If a worker is killed or the mail server fails, the next sweep
    tries again. So an e-mail may come twice but is never lost.
    """
    if not settings.EMAIL_HOST or not (waiting := list(unmailed().values_list("pk", flat=True))):
        return 0
    told: set[int] = set()
    sent = 0
    officers = User.objects.filter(pk__in=Officer.objects.in_force().values("person")).exclude(email="")
    for officer in officers.order_by("pk"):
        seen = set(unmailed().filter(sees_reports(officer.pk), pk__in=waiting).values_list("pk", flat=True))
        if not seen:
            continue
        try:
            _message(officer, len(seen)).send()
        except (
            SMTPResponseException,
            SMTPRecipientsRefused,
        ) as error:  # only this address is refused, so try the others
            logger.warning("The e-mail to the safety officer %s was refused: %s", officer.pk, error)
        except OSError as error:
            logger.warning("The mail server does not respond. The next sweep tries again: %s", error)
            break
        else:
            sent += 1
            told |= seen
    Quarantine.objects.filter(pk__in=told, officers_mailed_at=None).update(officers_mailed_at=timezone.now())
    return sent


def _message(officer: User, count: int) -> EmailMessage:
    """Return the e-mail, in the officer's language."""
    with translation.override(officer.locale or settings.LANGUAGE_CODE):
        subject = _("Diptych: a report waits for a safety officer")
        body = ngettext(
            "%(n)s new report waits for a decision. Sign in and open Reports.",
            "%(n)s new reports wait for a decision. Sign in and open Reports.",
            count,
        )
        return EmailMessage(subject, body % {"n": count}, to=[officer.email])
