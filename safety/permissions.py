"""Permissions about reports of illegal material. No other module of the app decides them.

No role in a study gives access to reports, only an appointment as safety officer.
"""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from catalog.models import Video
from diptych.database.natural import Natural
from safety.models import Officer, Quarantine
from studies.models import Study

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


def is_officer(person: "User") -> bool:
    """Return whether the person is a safety officer at this moment, of a study or of the installation."""
    return Officer.objects.of(person.pk).exists()


def sees_reports(person_id: int) -> Q:
    """Return the condition for quarantines whose state the person may see: as officer of the installation, or of any
    study that uses the file.
    """
    theirs = Officer.objects.of(person_id)
    used = Video.objects.filter(asset=OuterRef("asset"))
    studies = theirs.filter(study__isnull=False).values("study")
    return Q(Exists(theirs.of_installation())) | Q(Exists(used.filter(study__in=studies)))


def decides_reports(person_id: int) -> Q:
    """Return the condition for quarantines that the person may decide on: as officer of the installation, or of every
    study that uses the file.
    """
    theirs = Officer.objects.of(person_id)
    used = Video.objects.filter(asset=OuterRef("asset"))
    studies = theirs.filter(study__isnull=False).values("study")
    every_study = Q(Exists(used)) & ~Q(Exists(used.exclude(study__in=studies)))
    return Q(Exists(theirs.of_installation())) | every_study


def require_decides(person: "User", quarantine: Quarantine) -> None:
    """Raise PermissionDenied unless the person may now decide about this file. It runs one query.

    Call it after locking the asset. Then a study that is importing the same file is taken into account.
    """
    if not Quarantine.objects.filter(decides_reports(person.pk), pk=quarantine.pk).exists():
        raise PermissionDenied(
            _(
                "Other studies use the same file. Only a safety officer of all these studies, or of the "
                "whole installation, may open this report or decide on it. Ask one of them."
            )
        )


def require_officer(request: HttpRequest) -> None:
    """Raise PermissionDenied unless the person is a safety officer of a study or of the installation."""
    if not Officer.objects.of(request.user.pk or 0).exists():
        raise PermissionDenied(_("Only safety officers may open reports. A superuser appoints them."))


def officers_studies(request: HttpRequest) -> "QuerySet[Study]":
    """Return the studies in which the person is a safety officer, or all studies for an officer of the installation."""
    theirs = Officer.objects.of(request.user.pk or 0)
    studies = Study.objects.order_by(Natural("title"), "pk")
    if theirs.of_installation().exists():
        return studies
    return studies.filter(pk__in=theirs.values("study"))


def quarantine_for(request: HttpRequest, quarantine_id: int, *, deciding: bool) -> Quarantine:
    """Return the quarantine, if the person is a safety officer who may see its state.

    Raises Http404 for anybody else. With `deciding`, raises PermissionDenied unless the person is an officer of every
    study that uses the file.
    """
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    found = Quarantine.objects.select_related("asset").filter(sees_reports(person.pk), pk=quarantine_id).first()
    if found is None:
        raise Http404(_("There is no report %(id)s.") % {"id": quarantine_id})
    if deciding:
        require_decides(person, found)
    return found


def require_superuser(request: HttpRequest) -> "User":
    """Return the person, if they are a superuser. Raises PermissionDenied."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    if not person.is_superuser:
        raise PermissionDenied(_("Only a superuser of this installation can appoint safety officers."))
    return person
