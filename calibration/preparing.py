"""Calibration sessions: choose pairs, open and close a session, and record what the discussion concluded.

Every change locks the session first. `calibration/turns.py` lets people judge, and `calibration/outcomes.py` compares.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import unleased
from annotation.protocol import LONGEST_COMMENT
from calibration.models import CalibrationItem, CalibrationSession, CalibrationSitting
from catalog.models import Pair
from diptych.refusals import BadInput, Refused
from qc.models import Verdict
from studies.models import DocumentVersion, Study

State, Origin = CalibrationSession.State, CalibrationItem.Origin
#: The most pairs in a session. Each of them is judged by everybody.
MOST_ITEMS = 100
LONGEST_TOPIC = 200
#: How often numbering is tried again if two people make a session at the same moment.
TRIES = 3
RULINGS = {Verdict.Ruling.UNCLEAR: Origin.UNCLEAR, Verdict.Ruling.DISPUTED: Origin.DISPUTED}


def candidates(study: Study, origin: CalibrationItem.Origin) -> QuerySet[Verdict]:
    """Return the verdicts “guideline unclear”, or the disputed ones, that wait for a session, latest first.

    A verdict waits until its pair is in a session that was made after it.
    """
    ruling = next(ruling for ruling, found in RULINGS.items() if found == origin)
    taken = CalibrationItem.objects.filter(pair=OuterRef("review__pair"), session__created_at__gte=OuterRef("made_at"))
    found = Verdict.objects.filter(~Exists(taken), study=study, ruling=ruling, withdrawn_at=None)
    return found.select_related("review__pair", "review__lot").order_by("-made_at", "-pk")


def make(study: Study, topic: str, *, actor: User, follows: CalibrationSession | None = None) -> CalibrationSession:
    """Make a draft session. Raise BadInput without a topic, and Refused if another session follows already.

    Args:
        follows: an earlier, closed session that this one is compared with.
    """
    topic = " ".join(topic.split())
    if not topic or len(topic) > LONGEST_TOPIC:
        raise BadInput(_("Give a topic of at most %(most)s characters.") % {"most": LONGEST_TOPIC}, field="topic")
    if follows is not None and follows.state != State.CLOSED:
        raise Refused(_("Close the earlier session first. Then create the one that follows it."), "not_closed")
    for _try in range(TRIES):
        try:
            return _made(study, topic, follows, actor)
        except IntegrityError as error:
            if "follows" in str(error):
                raise Refused(_("Another session already follows this one."), "followed") from error
    raise Refused(_("Somebody else created a session at the same moment. Try again."), "busy")


@transaction.atomic
def _made(study: Study, topic: str, follows: CalibrationSession | None, actor: User) -> CalibrationSession:
    last = CalibrationSession.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
    made = CalibrationSession.objects.create(
        study=study, number=last + 1, topic=topic, follows=follows, created_by=actor
    )
    about = {"number": made.number, "topic": topic, "follows": follows.number if follows else None}
    audit.record("calibration.made", made, actor=actor, study_slug=study.slug, after=about)
    return made


def locked(session: CalibrationSession) -> CalibrationSession:
    """Return the session as it is now, with its row locked until the transaction ends."""
    rows = CalibrationSession.objects.select_for_update(of=("self",), no_key=True).select_related("study")
    return rows.get(pk=session.pk)


def _draft(session: CalibrationSession) -> CalibrationSession:
    found = locked(session)
    if found.state != State.DRAFT:
        raise Refused(_("The session was opened, so its pairs stay as they are."), "opened")
    return found


@transaction.atomic
def add(session: CalibrationSession, *, verdicts: Collection[int] = (), pairs: Iterable[str] = (), actor: User) -> int:
    """Add pairs to a draft session: those of these verdicts, and those with these ids. Return how many are new.

    A pair that is in the session already stays once. Raise BadInput for an unknown id and for too many pairs, and
    Refused if the session was opened.

    Args:
        verdicts: keys of verdicts that wait for a session.
        pairs: published ids, or at least their first 12 characters.
    """
    draft = _draft(session)
    wanted = _of_verdicts(draft.study, verdicts) + [(pair, Origin.CHOSEN, None) for pair in _pairs(draft.study, pairs)]
    there = set(CalibrationItem.objects.filter(session=draft).values_list("pair", flat=True))
    last = CalibrationItem.objects.filter(session=draft).aggregate(last=Max("place"))["last"] or 0
    made = []
    for pair, origin, verdict in wanted:
        if pair.pk not in there:
            there.add(pair.pk)
            last += 1
            about: dict[str, Any] = {"pair": pair, "place": last, "origin": origin, "verdict": verdict}
            made.append(CalibrationItem(study=draft.study, session=draft, **about))
    if len(there) > MOST_ITEMS:
        raise BadInput(_("A session has at most %(most)s pairs.") % {"most": MOST_ITEMS}, "too_many", field="pairs")
    CalibrationItem.objects.bulk_create(made)
    if made:
        after = {"number": draft.number, "pairs": [item.pair.public_id for item in made]}
        audit.record("calibration.pairs_added", draft, actor=actor, study_slug=draft.study.slug, after=after)
    return len(made)


def _of_verdicts(study: Study, keys: Collection[int]) -> list[tuple[Pair, CalibrationItem.Origin, Verdict | None]]:
    found = Verdict.objects.filter(study=study, pk__in=keys, ruling__in=RULINGS, withdrawn_at=None)
    rows = found.select_related("review__pair").order_by("pk")
    shown = set(
        unleased.playable(study).filter(pk__in=[row.review.pair_id for row in rows]).values_list("pk", flat=True)
    )
    return [(row.review.pair, RULINGS[Verdict.Ruling(row.ruling)], row) for row in rows if row.review.pair_id in shown]


def _pairs(study: Study, ids: Iterable[str]) -> list[Pair]:
    found = []
    for given in dict.fromkeys(one.strip().lower() for one in ids if one.strip()):
        rows = []
        if len(given) >= 12 and set(given) <= set("0123456789abcdef"):
            real = unleased.playable(study).filter(
                kind=Pair.Kind.REAL
            )  # a control that people discuss is none any more
            rows = list(real.filter(public_id__gte=given, public_id__lt=f"{given}g")[:2])
        if len(rows) != 1:
            raise BadInput(
                _("This study has no pair “%(id)s” that can be shown. Copy the id from the page of the pair.")
                % {"id": given[:64]},
                "unknown_pair",
                field="pairs",
            )
        found.append(rows[0])
    return found


@transaction.atomic
def remove(session: CalibrationSession, item_id: int, *, actor: User) -> None:
    """Remove a pair from a draft session. Repeating it is harmless. Raise Refused if the session was opened."""
    draft = _draft(session)
    item = CalibrationItem.objects.filter(session=draft, pk=item_id).select_related("pair").first()
    if item is not None:
        before = {"number": draft.number, "pairs": [item.pair.public_id]}
        audit.record("calibration.pair_removed", draft, actor=actor, study_slug=draft.study.slug, before=before)
        item.delete()


@transaction.atomic
def open_session(session: CalibrationSession, *, actor: User) -> bool:
    """Open a draft session, so that people judge its pairs. Return False if it was opened before.

    Raise Refused if it has no pairs.
    """
    found = locked(session)
    if found.state != State.DRAFT:
        return False
    if not CalibrationItem.objects.filter(session=found).exists():
        raise Refused(_("This session has no pairs. Add pairs first."), "no_pairs")
    version = found.study.guideline_version
    CalibrationSession.objects.filter(pk=found.pk).update(state=State.OPEN, opened_at=Now(), guideline_before=version)
    after = {"number": found.number, "guideline": version}
    audit.record("calibration.opened", found, actor=actor, study_slug=found.study.slug, after=after)
    session.refresh_from_db()
    return True


@transaction.atomic
def close(session: CalibrationSession, *, actor: User) -> bool:
    """Close an open session: nobody judges any more, and everybody sees the results. Return False if it is closed.

    Raise Refused if it is a draft, or if fewer than two people have judged.
    """
    found = locked(session)
    if found.state == State.CLOSED:
        return False
    if found.state == State.DRAFT or len(people_of(found)) < 2:
        raise Refused(_("Close the session when at least two people have judged."), "not_judged")
    CalibrationSession.objects.filter(pk=found.pk).update(state=State.CLOSED, closed_at=Now())
    audit.record("calibration.closed", found, actor=actor, study_slug=found.study.slug, after={"number": found.number})
    session.refresh_from_db()
    return True


def people_of(session: CalibrationSession) -> list[int]:
    """Return the keys of the people who have answered something in the session."""
    answered = CalibrationSitting.objects.filter(item__session=session, answer__isnull=False)
    return list(answered.order_by("person").values_list("person", flat=True).distinct())


@transaction.atomic
def conclude(session: CalibrationSession, item_id: int, text: str, *, actor: User) -> CalibrationItem:
    """Write what the discussion concluded about one pair. The last text stays, and the audit record has all.

    Raise BadInput for a text that is too long, and Refused before the session is closed: a conclusion would tell
    people what to answer.
    """
    found = locked(session)
    if found.state != State.CLOSED:
        raise Refused(_("Write conclusions when the session is closed."), "not_closed")
    text = text.strip()
    if len(text) > LONGEST_COMMENT:
        raise BadInput(_("Write at most %(most)s characters.") % {"most": LONGEST_COMMENT}, field="outcome")
    item = CalibrationItem.objects.get(session=found, pk=item_id)
    if item.outcome != text:
        before = {"place": item.place, "outcome": item.outcome}
        item.outcome = text
        item.outcome_by, item.outcome_at = (actor, timezone.now()) if text else (None, None)
        item.save(update_fields=["outcome", "outcome_by", "outcome_at"])
        after = {"place": item.place, "outcome": text}
        slug = found.study.slug
        audit.record("calibration.concluded", found, actor=actor, study_slug=slug, before=before, after=after)
    return item


def later_versions(session: CalibrationSession) -> list[int]:
    """Return the versions of the guideline after the one with which the session was opened."""
    found = DocumentVersion.objects.filter(study=session.study_id, kind="guideline")
    return list(
        found.filter(version__gt=session.guideline_before or 0).order_by("version").values_list("version", flat=True)
    )


@transaction.atomic
def link_guideline(session: CalibrationSession, version: int | None, *, actor: User) -> None:
    """Record which version of the guideline came of the discussion, or None. Raise BadInput for another version."""
    found = locked(session)
    if version is not None and version not in later_versions(found):
        raise BadInput(
            _("Choose a version of the guideline that was published after the session was opened."), field="version"
        )
    if found.guideline_after != version:
        CalibrationSession.objects.filter(pk=found.pk).update(guideline_after=version)
        before, after = {"guideline_after": found.guideline_after}, {"guideline_after": version}
        slug = found.study.slug
        audit.record("calibration.guideline", found, actor=actor, study_slug=slug, before=before, after=after)
    session.refresh_from_db()
