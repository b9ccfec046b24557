"""What an annotator reads about the review of their answer in My work, and their one reply to it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation.protocol import LONGEST_COMMENT
from diptych.refusals import BadInput, NotThere, Refused
from qc.models import FrameItem, Reply, Verdict
from qc.review_data import question_of
from studies.models import Study


@dataclass(slots=True)
class Feedback:
    """The settled defects and comments of one answer's review, and the annotator's reply."""

    item_id: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    reply: Reply | None = None

    #: The part of the page that shows it.
    template = "qc/_feedback.html"


def settled(**values: Any) -> Any:
    """Return verdicts that their annotator may read: defects that count, and other comments, once nothing waits."""
    found = Verdict.objects.filter(withdrawn_at=None, waits_for="", **values)
    return found.filter(counts=True) | found.exclude(comment="").exclude(ruling="fine")


def feedback(assignments: Collection[int]) -> dict[int, Feedback]:
    """Return the feedback on answered assignments, by their keys. Two queries."""
    by_assignment: dict[int, Feedback] = {}
    lefts: dict[int, str] = defaultdict(str)
    verdicts = settled(item__assignment__in=assignments).select_related("item__assignment").order_by("pk").distinct()
    for one in verdicts:
        assignment = one.item.assignment
        lefts[assignment.pk] = assignment.left
        found = by_assignment.setdefault(assignment.pk, Feedback(one.item_id))
        line = {"question": question_of(one.row, assignment.left), "code": one.get_code_display(), "text": one.comment}
        if line not in found.lines:
            found.lines.append(line)
    if not by_assignment:
        return by_assignment
    replied = Reply.objects.filter(item__in=[one.item_id for one in by_assignment.values()])
    by_item = {reply.item_id: reply for reply in replied}
    for found in by_assignment.values():
        found.reply = by_item.get(found.item_id)
    return by_assignment


def write(person: User, study: Study, item_id: int, text: str) -> Reply:
    """Store the person's reply to the review of their answer. Each review has one reply.

    Raise NotThere if there is nothing to reply to, BadInput for an empty or too long text, and Refused for a second
    reply. Sending the same reply again returns it.
    """
    text = text.strip()
    item = FrameItem.objects.filter(pk=item_id, study=study, assignment__person=person).first()
    if item is None or not settled(item=item).exists():
        raise NotThere(_("There is no review to reply to."))
    if not text or len(text) > LONGEST_COMMENT:
        raise BadInput(_("Write a reply of at most %(most)s characters.") % {"most": LONGEST_COMMENT}, field="text")
    try:
        with transaction.atomic():
            reply = Reply.objects.create(study=study, item=item, text=text)
            audit.record("review.replied", reply, actor=person, study_slug=study.slug)
    except IntegrityError:
        stored = Reply.objects.get(pk=item.pk)
        if stored.text != text:
            raise Refused(_("You have already replied to this review. It has one reply."), "replied") from None
        return stored
    return reply
