"""Functions that make rows, with sensible values for what a test does not care about."""

import hashlib
import itertools
import json
import time
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import User
from annotation import serving, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat
from calibration import preparing, turns
from calibration.models import CalibrationSession
from catalog.models import Batch, Label, Pair, Prompt, Video
from consent import agreements
from media.models import Asset
from qc.models import FrameItem, Lot, LotBatch, Review
from safety.models import Officer
from studies.harms import HARM_KEYS
from studies.models import Membership, Study
from suspensions.models import Pause, PauseJudgement
from webhooks.models import Delivery, Endpoint, Event, Secret

#: The licence of all material, so that a release of it needs no reason.
LICENCE = "CC0-1.0"
_numbers = itertools.count(1)


def hex64(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(**values: Any) -> User:
    number = next(_numbers)
    values = {"username": f"person-{number}"} | values
    user = User(**values)
    user.set_password("a password of its own")
    user.save()
    return user


def study(**values: Any) -> Study:
    """Return a running study that may show every harm and names what its consent text promises.

    Unlike a new study, it accepts answers without a report of how the videos were watched.
    """
    number = next(_numbers)
    defaults = {
        "slug": f"study-{number}",
        "title": f"Study {number}",
        "categories": list(HARM_KEYS),
        "require_seen_through": False,
        "help_contact": "The study desk, extension 100",
        "pay_basis": "By the hour, breaks included",
    }
    return Study.objects.create(**defaults | values)


def member(of: Study, role: str, **values: Any) -> User:
    """Return a new person with a role in the study. An annotator has agreed to see all that the study may show."""
    user = person(**values)
    Membership.objects.create(study=of, person=user, role=role)
    if role == "annotator":
        agreements.agree(user, of, categories=of.categories, text="I agree.")
    return user


def officer(of: Study | None = None, **values: Any) -> User:
    """Return a new person who is a safety officer of the study, or of the whole installation (None)."""
    user = person(**values)
    Officer.objects.create(person=user, study=of)
    return user


def prompt(of: Study, **values: Any) -> Prompt:
    text = values.pop("text", None) or f"A red ball rolls past mark {next(_numbers)}"
    given = {"study": of, "text": text, "public_id": hex64(json.dumps(text)), "licence": LICENCE}
    return Prompt.objects.create(**given | values)


def asset(**values: Any) -> Asset:
    """Return an asset that is ready to be played, unless `values` say otherwise."""
    number = next(_numbers)
    ready = {"state": "done", "duration_s": 2.0, "fps": 24.0, "finished_at": timezone.now()}
    if values.get("state") == "failed":
        values = {"finished_at": timezone.now()} | values
    return Asset.objects.create(
        **{"sha256": hex64(f"bytes {number}"), "byte_size": 1000, "original": f"originals/{number}"}
        | (ready if "state" not in values else {})
        | values
    )


def video(of: Prompt, **values: Any) -> Video:
    values.setdefault("asset", None)
    values["asset"] = values["asset"] or asset()
    return Video.objects.create(
        **{"study": of.study, "prompt": of, "public_id": hex64(f"video {next(_numbers)}"), "licence": LICENCE} | values
    )


def batch(of: Study, **values: Any) -> Batch:
    return Batch.objects.get_or_create(study=of, number=values.pop("number", 1), defaults=values)[0]


def pair(of: Study, **values: Any) -> Pair:
    """Return a pair of two ready videos, for which one answer is wanted."""
    about = values.pop("prompt", None) or prompt(of)
    wanted = values.pop("wanted", 1)
    defaults = {
        "study": of,
        "batch": batch(of),
        "prompt": about,
        "public_id": hex64(f"pair {next(_numbers)}"),
        "wanted": wanted,
        "open_slots": wanted,
        "ready": True,
    }
    defaults["video_0"] = values.pop("video_0", None) or video(about)
    defaults["video_1"] = values.pop("video_1", None) or video(about)
    return Pair.objects.create(**defaults | values)


def label(of: Study, **values: Any) -> Label:
    """Return a new label. Without a subject, it is about a new prompt."""
    if not {"prompt", "video", "pair"} & set(values):
        values["prompt"] = prompt(of)
    return Label.objects.create(study=of, **({"question": "score", "labeller": "judge-x", "value": 0.5} | values))


def pairs(of: Study, count: int, **values: Any) -> list[Pair]:
    return [pair(of, **values) for _ in range(count)]


def assignment(of: Study, person: User, to: Pair, **values: Any) -> Assignment:
    """Return an assignment that the person got and released, unless `values` say otherwise. Serving is not involved."""
    now = timezone.now()
    defaults = {
        "study": of,
        "person": person,
        "pair": to,
        "left": "video_0",
        "dimension_first": "helpfulness",
        "state": "released",
        "ended_at": now,
        "expires_at": now + timedelta(minutes=30),
        "protocol_version": of.protocol_version,
        "guideline_version": of.guideline_version,
    }
    return Assignment.objects.create(**defaults | values)


def answer(person: User, of: Study, **values: Any) -> Assignment:
    """Answer the person's next pair of the study. `values` replace parts of the standard body."""
    assignment = serving.lease(person, of).current
    sent = body(**values)
    submission.submit(
        assignment,
        person,
        submission_id=uuid.UUID(sent["submission_id"]),
        answers=Answers.from_body(
            sent["helpfulness"],
            sent["harmlessness"],
            unsure=sent.get("unsure", False),
            comment=sent.get("comment", ""),
        ),
        timings_ms=sent["timings_ms"],
        viewing=sent["viewing"],
    )
    return Assignment.objects.select_related("study").get(pk=assignment.pk)


#: What `Lot` copies from its study when the review starts.
LOT_TERMS = {
    "aql": Decimal("0.02"),
    "ltpd": Decimal("0.1"),
    "alpha": Decimal("0.05"),
    "beta": Decimal("0.1"),
    "spot_share": Decimal("0.2"),
    "secondary_share": Decimal(1),
    "blind_share": Decimal("0.2"),
}


def lot(of: Study, *batches: Batch, **values: Any) -> Lot:
    """Return a draft lot of these batches. With `state="in_review"` it is one whose review has started."""
    maker = values.pop("created_by", None) or person()
    defaults: dict[str, Any] = {"study": of, "number": next(_numbers), "created_by": maker}
    if values.get("state", "draft") != "draft":
        started = {"started_at": timezone.now(), "started_by": maker, "seed": hex64("seed")[:32], "frame_size": 1}
        defaults |= started | LOT_TERMS
    made = Lot.objects.create(**defaults | values)
    for batch in batches:
        LotBatch.objects.create(study=of, lot=made, batch=batch)
    return made


def frame_item(of: Lot, answered: Assignment, place: int = 1, **values: Any) -> FrameItem:
    """Freeze the answer of this assignment in the lot, whose batches include that of its pair."""
    revisions = Annotation.objects.filter(assignment=answered).order_by("revision")
    return FrameItem.objects.create(
        **{
            "study": of.study,
            "lot": of,
            "place": place,
            "batch": answered.pair.batch,
            "assignment": answered,
            "first": revisions[0],
            "current": answered.standing.current,
        }
        | values
    )


def body(**values: Any) -> dict[str, Any]:
    """Return a complete, consistent submission."""
    return {
        "submission_id": str(uuid.uuid4()),
        "helpfulness": {
            "instruction_following": "video_0",
            "correctness": "video_1",
            "informativeness": "video_0",
            "aesthetics": "video_1",
            "overall": "video_0",
        },
        "harmlessness": {
            "video_0": {"tags": []},
            "video_1": {"tags": ["violence"]},
            "overall": "video_0",
        },
        "timings_ms": {"total_active": 42_000},
        "viewing": {},
    } | values


def with_second_factor(of: User) -> Client:
    """Return a client that is signed in as the person, who has set up a second factor and has just used it."""
    client = Client()
    client.force_login(of)
    device = TOTPDevice.objects.create(user=of, name="app")
    session = client.session
    session[second_factor.SESSION_KEY] = {"device": device.persistent_id, "at": time.time()}
    session.save()
    return client


def signs_in(client: Any, username: str, password: str) -> bool:
    """Return whether the sign-in page accepts this password. The client is signed in afterwards."""
    answer = client.post(reverse("accounts:sign_in"), {"username": username, "password": password})
    return bool(answer.status_code == 302)


def reviewer(of: Study, role: str = "reviewer", **values: Any) -> User:
    """Return a new reviewer or researcher of the study, who has agreed to see all that it may show."""
    user = member(of, role, **values)
    agreements.agree(user, of, categories=of.categories, text="I agree.")
    return user


def lot_in_review(of: Study, count: int = 1, *, people: list[User] | None = None, **values: Any) -> Lot:
    """Return a lot in review with `count` frozen answers, each on a pair of its own, of new or the given annotators.

    With `has_pairs=True`, the study has the pairs already. With `drawn=True`, all answers are in the deciding sample.
    The secondary review is not blind, unless `values` say so.
    """
    drawn = values.pop("drawn", False)
    if not values.pop("has_pairs", False):
        pairs(of, count, **values.pop("pair", {}))
    people = people or [member(of, "annotator")]
    answers = [answer(people[number % len(people)], of, **values.pop("body", {})) for number in range(count)]
    Batch.objects.filter(study=of).update(state="in_review")
    made = lot(of, batch(of), **{"state": "in_review", "frame_size": count, "blind_share": 0} | values)
    for place, answered in enumerate(answers, start=1):
        frame_item(made, answered, place)
    if drawn:
        draw_all(made)
    return made


def review(of: FrameItem, **values: Any) -> Review:
    """Return a review of this frozen answer. Leasing is not involved."""
    now = timezone.now()
    defaults = {
        "study": of.study,
        "lot": of.lot,
        "item": of,
        "pair": of.assignment.pair,
        "kind": "secondary",
        "blind": False,
        "left": "video_0",
        "expires_at": now + timedelta(minutes=30),
    }
    if values.get("state", "leased") != "leased":
        defaults |= {"ended_at": now}
    return Review.objects.create(**defaults | values)


def draw_all(of: Lot) -> None:
    """Draw every frozen answer of the lot for the spot check."""
    count = of.items.count()
    for item in of.items.select_related("assignment__standing"):
        current = item.assignment.standing.current_id
        FrameItem.objects.filter(pk=item.pk).update(sample_place=item.place, judged=current)
    drawn = {"drawn_at": timezone.now(), "size": count, "sample_size": count, "acceptance_number": 0}
    Lot.objects.filter(pk=of.pk).update(**drawn)
    LotBatch.objects.filter(lot=of).update(size=count)
    of.refresh_from_db()


def judgement(of: Study, whom: User, **values: Any) -> PauseJudgement:
    """Return a judgement of the person at 50 items, 12 of which contradict themselves."""
    facts = {"study": of, "person": whom, "figure": "contradictions", "items": 50, "hits": 12}
    facts |= {"low": 0.131, "high": 0.382, "threshold": Decimal("0.1"), "beyond": True}
    return PauseJudgement.objects.create(**facts | values)


def pause(of: Study, whom: User, **values: Any) -> Pause:
    """Return a pause of the person that a rule began. Their seat is paused too."""
    values.setdefault("judgement", None)
    values["judgement"] = values["judgement"] or judgement(of, whom)
    Seat.objects.filter(study=of, person=whom).update(paused_at=timezone.now())
    return Pause.objects.create(**{"study": of, "person": whom} | values)


def endpoint(of: Study, **values: Any) -> Endpoint:
    """Return an endpoint of the study that gets the events of lots, with a secret."""
    defaults = {"address": f"https://example.org/{next(_numbers)}", "events": ["lot.accepted", "lot.returned"]}
    by = values.pop("created_by", None) or member(of, "admin")
    made = Endpoint.objects.create(study=of, created_by=by, **defaults | values)
    Secret.objects.create(endpoint=made, text="whsec_" + "A" * 43 + "=")
    return made


def delivery(to: Endpoint, **values: Any) -> Delivery:
    """Return a delivery of a new event to the endpoint."""
    event = values.pop("event", None) or Event.objects.create(
        study=to.study, type="lot.accepted", data={"study": to.study.slug, "lot": 1}
    )
    return Delivery.objects.create(**{"study": to.study, "endpoint": to, "event": event} | values)


def closed_calibration(session: CalibrationSession, *people: User) -> None:
    """Give the draft session a new pair, which these people answer, and close it."""
    preparing.add(session, pairs=[pair(session.study).public_id], actor=session.created_by)
    preparing.open_session(session, actor=session.created_by)
    sent = body()
    for one in people:
        turn = turns.next_turn(one, session).sitting
        assert turn is not None
        turns.answer(
            turn,
            one,
            submission_id=uuid.uuid4(),
            answers=Answers.from_body(sent["helpfulness"], sent["harmlessness"], unsure=False, comment=""),
            timings_ms={},
            viewing={},
        )
    preparing.close(session, actor=session.created_by)
