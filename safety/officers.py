"""Appoint safety officers and end appointments. Only superusers can do it, on a page or by command."""

import logging
from datetime import datetime

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from safety.models import Officer
from studies.models import Study

logger = logging.getLogger(__name__)


@transaction.atomic
def appoint(person: User, study: Study | None, *, by: User | None, until: datetime | None = None) -> Officer:
    """Appoint the person as safety officer of the study, or of the installation (None), and return the appointment.

    Repeating it changes nothing. `by` is None for a command on the server. Raises Refused.
    """
    if until is not None and until <= timezone.now():
        raise Refused(_("The end of the appointment is in the past. Choose a later day, or leave it empty."))
    if not person.is_active:
        raise Refused(_("%(name)s can no longer sign in. Appoint somebody else.") % {"name": person.username})
    try:
        with transaction.atomic():
            officer = Officer.objects.create(person=person, study=study, appointed_by=by, until=until)
    except IntegrityError:  # the constraint also decides if two people appoint simultaneously
        return _the_same(person, study, until)
    after = {"person": person.pk, "username": person.username, "until": until}
    audit.record("officer.appointed", officer, actor=by, study_slug=study.slug if study else "", after=after)
    return officer


def _the_same(person: User, study: Study | None, until: datetime | None) -> Officer:
    """Return the existing appointment. Raises Refused if it ends at another time."""
    present = Officer.objects.of(person.pk).filter(study=study).first()
    if present is not None and present.until == until:
        return present
    raise Refused(
        _("%(name)s is already a safety officer there, with another end day. End that appointment first.")
        % {"name": person.username}
    )


@transaction.atomic
def dismiss(officer: Officer, *, by: User | None) -> bool:
    """End an appointment now. Return False if it had ended before: repeating it is harmless."""
    standing = Officer.objects.filter(Q(until=None) | Q(until__gt=Now()), pk=officer.pk)
    before = {"person": officer.person_id, "until": officer.until}
    if not standing.update(until=Now()):
        return False
    study_slug = officer.study.slug if officer.study else ""
    audit.record("officer.dismissed", officer, actor=by, study_slug=study_slug, before=before)
    return True


def installation_has_officer() -> bool:
    """Return whether somebody can decide on every report, whatever studies use the file."""
    return Officer.objects.in_force().of_installation().exists()


def no_officer(study: Study) -> str:
    """Return a notice for the study's settings if nobody can decide on every report, or an empty string."""
    if installation_has_officer():
        return ""
    return _(
        "This installation has no safety officer. If other studies use the same videos, nobody can decide on the "
        "reports of your annotators. Ask the operator of this installation to appoint one."
    )


def warn_without_officer() -> None:
    """Log a warning if the installation has no safety officer. It runs when a production server starts."""
    try:
        if not installation_has_officer():
            logger.warning(
                "This installation has no safety officer. Nobody can decide on reports of files that several studies "
                "use. Appoint one with: diptych-server appoint_officer USERNAME"
            )
    except DatabaseError as error:
        logger.warning("Could not check whether the installation has a safety officer: %s", error)
    finally:
        connection.close()
