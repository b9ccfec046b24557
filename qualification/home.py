"""How a person finds the qualification: the workspace leads to it, and their list of studies has a line about it."""

from collections.abc import Collection, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from annotation.models import Seat
from qualification.models import Attempt, PairSet
from qualification.models.sets import Kind
from studies.models import Membership, Study
from studies.models.memberships import Role


def first_step(person: User, study: Study) -> str | None:
    """Return the address of the page of the qualification, if the person has to qualify before they work."""
    if not study.qualification_required:
        return None
    if Seat.objects.filter(study=study, person=person, qualified_at__isnull=False).exists():
        return None
    return reverse("qualification:own", args=[study.slug])


def lines(person: User, studies: Collection[Study]) -> Mapping[int, str]:
    """Return a line for each study in which the person has to qualify before they work."""
    asking = [study.pk for study in studies if study.qualification_required]
    if not asking:
        return {}
    annotates = Membership.objects.filter(person=person, study__in=asking, role=Role.ANNOTATOR)
    qualified = Seat.objects.filter(person=person, study__in=asking, qualified_at__isnull=False)
    left = set(annotates.values_list("study", flat=True)) - set(qualified.values_list("study", flat=True))
    opened = Attempt.objects.filter(person=person, study__in=left, ended_at=None)
    trainings = PairSet.objects.filter(study__in=left, kind=Kind.TRAINING, state=PairSet.State.PUBLISHED)
    newest = trainings.order_by("study", "-number").distinct("study").values("pk")
    ended = Attempt.objects.filter(person=person, set__in=newest, end=Attempt.End.FINISHED)
    found = dict.fromkeys(left, _("You must qualify before you get pairs: first a training, then a test."))
    found |= dict.fromkeys(
        ended.values_list("study", flat=True), _("You must pass a test before you get pairs. Your training is done.")
    )
    for attempt in opened.prefetch_related("turns"):
        done = sum(turn.seen_at is not None for turn in attempt.turns.all())
        if attempt.kind == Kind.TRAINING:
            said = ngettext("Training: %(n)s pair done.", "Training: %(n)s pairs done.", done)
        else:
            said = ngettext("Test: %(n)s pair done.", "Test: %(n)s pairs done.", done)
        found[attempt.study_id] = said % {"n": done}
    return found
