"""Judge people again, and end their pauses, when a control that a judgement rested on is withdrawn.

The withdrawal itself says which judgements no longer hold. What follows comes with the next periodic check, because it
locks seats: the withdrawal has locked a pair, and seats are locked before pairs. So a server that is killed between the
two loses nothing.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from annotation.seats import locked_seat
from controls.models import Control
from diptych.database.fixed import fetch_all
from diptych.numbers import grouped
from studies.models import Study
from suspensions import pausing
from suspensions.models import Pause, PauseRule

#: How long the home page tells a person that their pause was ended because of a wrong control.
TOLD_FOR = timedelta(days=30)

#: Say that the judgements which a control is part of no longer hold: it is among the first so many results of the
#: person. Controls that were withdrawn earlier are no part of these numbers.
UNDO = """
INSERT INTO suspensions_undonejudgement (judgement_id, study_id, control_id, kind)
SELECT judgement.id, judgement.study_id, %(control)s, judgement.figure
  FROM suspensions_pausejudgement judgement
  JOIN (SELECT person_id, min(place) AS place FROM (
            SELECT result.person_id, result.control_id,
                   row_number() OVER (PARTITION BY result.person_id
                                          ORDER BY result.answered_at, result.assignment_id) AS place
              FROM controls_controlresult result JOIN controls_control control ON control.id = result.control_id
             WHERE result.study_id = %(study)s AND result.kind = %(kind)s AND result.person_id = ANY(%(people)s)
               AND (control.withdrawn_at IS NULL OR control.id = %(control)s)) numbered
         WHERE control_id = %(control)s GROUP BY person_id) mine
    ON mine.person_id = judgement.person_id AND mine.place <= judgement.items
 WHERE judgement.study_id = %(study)s AND judgement.figure = %(kind)s
   AND NOT EXISTS (SELECT FROM suspensions_undonejudgement undone WHERE undone.judgement_id = judgement.id)
    ON CONFLICT (judgement_id) DO NOTHING
RETURNING judgement_id
"""


def undo_judgements(*, control: Control, people: Collection[int], **_arguments: Any) -> None:
    """Receive `control_withdrawn`: say which judgements no longer hold."""
    values = {"control": control.pk, "study": control.study_id, "kind": control.kind, "people": list(people)}
    fetch_all(UNDO, values)


def resting_on(control: Control) -> int:
    """Return how many pauses rested on a withdrawn control, whether or not they were in force."""
    return Pause.objects.filter(study=control.study_id, judgement__undone__control=control).count()


def said_of(control: Control) -> str:
    """Return a sentence about the pauses that rested on a withdrawn control, or an empty string."""
    pauses = resting_on(control)
    told = ngettext(
        "%(n)s pause rested on it. The person is judged again without it within a minute.",
        "%(n)s pauses rested on it. These people are judged again without it within a minute.",
        pauses,
    )
    return told % {"n": grouped(pauses)} if pauses else ""


def reconsider_all() -> int:
    """End the pauses whose judgement no longer holds, and judge these people again. Return how many pauses ended."""
    pauses = Pause.objects.filter(ended_at=None, judgement__undone__isnull=False)
    about = ("study", "person", "judgement__undone__control__withdrawn_by")
    return sum(_reconsider(pause) for pause in pauses.select_related(*about).order_by("pk"))


@transaction.atomic
def _reconsider(pause: Pause) -> bool:
    """End a pause that rested on a withdrawn control, and judge the person without it. Return False if it had ended.

    Both are one transaction. So somebody who is still beyond the threshold gets no pair in between: a new pause begins
    in the moment in which the old one ends.
    """
    control = pause.judgement.undone.control
    seat = locked_seat(pause.person, pause.study)
    why, actor = control.withdrawn_because, control.withdrawn_by
    if not pausing.end_on(seat, pause, why=why, actor=actor, control_withdrawn=control.pk):
        return False
    rule = PauseRule.objects.select_related("study").filter(study=pause.study, figure=pause.judgement.figure).first()
    if rule is not None:
        pausing.judge_person(rule, pause.person_id)
    return True


def notice(person: User, study: Study) -> str:
    """Return the same line for the person's page *My work*, or an empty string."""
    return lines(person, [study]).get(study.pk, "")


def lines(person: User, studies: Collection[Study]) -> dict[int, str]:
    """Return for each study a line that tells the person that a pause of theirs rested on a wrong control.

    Whoever is paused again at once reads nothing here: they are still paused.
    """
    undone = Q(ended_at__gte=timezone.now() - TOLD_FOR, judgement__undone__isnull=False)
    mine = Pause.objects.filter(undone | Q(ended_at=None), person=person, study__in=studies)
    rows = list(mine.values_list("study", "ended_at"))
    still = {study for study, ended_at in rows if ended_at is None}
    return dict.fromkeys(
        {study for study, _ended_at in rows} - still,
        _("Your pause has ended. It rested on a control whose expected answer was wrong. It was not your mistake."),
    )
