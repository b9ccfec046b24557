"""Withdraw a control that turned out to be wrong.

Figures leave out withdrawn controls whenever they are computed, so they need no correction. What followed from them
does: receivers of `control_withdrawn` undo it or tell people about it.
"""

from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog.models import Pair
from catalog.models.pairs import CONTROL_WITHDRAWN
from controls.models import LONGEST_REASON, Control, ControlResult
from controls.signals import control_withdrawn
from diptych.refusals import BadInput

#: Functions that say what rested on a withdrawn control, or return an empty string. Apps above add theirs.
consequences: list[Callable[[Control], str]] = []


@transaction.atomic
def withdraw(control: Control, *, because: str, actor: User) -> list[int]:
    """Withdraw a control. Return the keys of the people whose figures changed; repeating it changes nothing.

    1. Lock the pair. Hold it, and take back the slots that nobody has. Who has it open can still answer.
    2. Mark the control, if nobody has done that meanwhile.
    3. Tell those who used its results.

    Raise BadInput without a reason, or with one that is too long.
    """
    reason = because.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput(
            _("Say why, in at most %(most)s characters. The reason stays with the control.") % {"most": LONGEST_REASON},
            field="because",
        )
    pair = Pair.objects.select_for_update(no_key=True).get(pk=control.pair_id)
    mine = Control.objects.filter(pk=control.pk, withdrawn_at=None)
    if not mine.update(withdrawn_at=Now(), withdrawn_by=actor, withdrawn_because=reason):
        control.refresh_from_db()
        return []
    Pair.objects.filter(pk=pair.pk).update(wanted=F("wanted") - F("open_slots"), open_slots=0)
    Pair.objects.filter(pk=pair.pk, held="").update(held=CONTROL_WITHDRAWN)
    control.refresh_from_db()
    answered = ControlResult.objects.filter(control=control).values_list("person", flat=True)
    people = sorted(set(answered))
    after = {"kind": control.kind, "pair": control.pair_id, "because": reason, "results": len(people)}
    audit.record("control.withdrawn", control, actor=actor, study_slug=control.study.slug, after=after)
    control_withdrawn.send(sender=Control, control=control, people=people)
    return people
