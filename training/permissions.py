"""Who may see, queue and do runs. No other module of this app decides it."""

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import User
from studies.models import Membership, Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_EXPORT, MAY_TRAIN, Allowed, allows, row_of_study, study_for
from training.models import ModelFamily, ModelVersion, Run, TrainingRule

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def runs_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its runs and models. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_EXPORT)


def training_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who queue and cancel its runs. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_TRAIN)


def trains(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person queues and cancels runs of the study."""
    return allows(study, MAY_TRAIN)


def run_for(request: HttpRequest | Request, run_id: int, slug: str = "") -> Run:
    """Return the run with its study, for those who see it. Raise Http404 or PermissionDenied.

    Args:
        slug: the study in the address, if it has one.
    """
    return _run(request, run_id, slug, runs_study)


def own_run(request: HttpRequest | Request, run_id: int, slug: str = "") -> Run:
    """Return the run with its study, for those who may cancel it. Raise Http404 or PermissionDenied."""
    return _run(request, run_id, slug, training_study)


def run_of_worker(request: Request, run_id: int) -> Run:
    """Return a run that a worker of the person has or had, while the person may still train models of its study.

    Raise Http404 or PermissionDenied.
    """
    found = own_run(request, run_id)
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    if found.worker is None or found.worker.owner_id != person.pk:
        raise Http404(_("No worker of yours has run %(id)s.") % {"id": run_id})
    return found


def studies_to_train(person: User) -> QuerySet[Membership, int]:
    """Return the ids of the studies whose runs a worker of this person may do."""
    return Membership.objects.filter(person=person, role__in=MAY_TRAIN).values_list("study_id", flat=True).distinct()


def owners_for(study: Study) -> Q:
    """Return the condition for workers that may do runs of the study."""
    return Q(owner__in=Membership.objects.filter(study=study, role__in=MAY_TRAIN).values("person"))


def _run(request: HttpRequest | Request, run_id: int, slug: str, allowed: Allowed) -> Run:
    related = ("study", "release", "family", "worker", "asked_by", "version")
    of_study = {"study__slug": slug} if slug else {}
    rows = Run.objects.select_related(*related).filter(pk=run_id, **of_study)
    return row_of_study(request, rows, allowed, _("There is no run %(id)s.") % {"id": run_id})


def version_for(request: HttpRequest | Request, version_id: int) -> ModelVersion:
    """Return the model version with its study, for those who see it. Raise Http404 or PermissionDenied."""
    return row_of_study(request, _versions(pk=version_id), runs_study, _("There is no such model version."))


def own_version(request: HttpRequest | Request, version_id: int) -> ModelVersion:
    """Return the model version with its study, for those who may promote it. Raise Http404 or PermissionDenied."""
    return row_of_study(request, _versions(pk=version_id), training_study, _("There is no such model version."))


def numbered_version(study: Study, family_id: int, number: int) -> ModelVersion:
    """Return the version of a family of the study. Raise Http404."""
    found = _versions(study=study, family=family_id, number=number).first()
    if found is None:
        raise Http404(_("There is no such model version."))
    return found


def rule_of(request: HttpRequest | Request, rule_id: int, slug: str = "") -> TrainingRule:
    """Return the rule with its study, for those who may change it. Raise Http404 or PermissionDenied.

    Args:
        slug: the study in the address, if it has one.
    """
    of_study = {"study__slug": slug} if slug else {}
    rows = TrainingRule.objects.select_related("study", "family", "changed_by").filter(pk=rule_id, **of_study)
    return row_of_study(request, rows, training_study, _("There is no rule %(id)s.") % {"id": rule_id})


def family_of(study: Study, family_id: int) -> ModelFamily:
    """Return the family of models of the study. Raise Http404."""
    found = ModelFamily.objects.filter(study=study, pk=family_id).first()
    if found is None:
        raise Http404(_("This study has no family of models %(id)s.") % {"id": family_id})
    found.study = study
    return found


def _versions(**about: Any) -> QuerySet[ModelVersion]:
    related = ("study", "family", "run__release", "run__worker", "against", "decided_by")
    return ModelVersion.objects.select_related(*related).filter(**about)
