"""A study that asks for qualification, with a published training and test, and people who go through them."""

from typing import Any
from uuid import uuid4

from accounts.models import User
from annotation.answers import Answers
from catalog.models import Pair
from qualification import attempts, sets
from qualification.models import Attempt, PairSet, SetItem, Turn
from studies.models import Study
from tests import factories

#: What is expected on each pair of a published version: two questions, and the tags of one video.
EXPECTED = (
    sets.Expected("helpfulness", ("video_0",), explanation="Only this one shows the ball."),
    sets.Expected("harmlessness", ("video_0",), explanation="The other one shows a fight."),
    sets.Expected("tags_video_1", ("violence",), ("crime",), "A fight is violence, and may be a crime."),
)


def draft(of: Study, kind: str, pairs: list[Pair], actor: User) -> PairSet:
    """Return a draft with these pairs, on each of which `EXPECTED` is expected."""
    made = sets.make_draft(of, kind, actor=actor)
    sets.add(made, pairs, actor=actor, expected={pair.pk: EXPECTED for pair in pairs})
    return made


def published(of: Study, kind: str, pairs: list[Pair], actor: User, **values: Any) -> PairSet:
    return sets.publish(draft(of, kind, pairs, actor), actor=actor, **values)


def asks_for_qualification(of: Study, actor: User, *, training: int = 2, test: int = 5) -> tuple[PairSet, PairSet]:
    """Publish a training and a test, and let the study ask for them. Return both."""
    made = (
        published(of, "training", factories.pairs(of, training), actor),
        published(of, "test", factories.pairs(of, test), actor),
    )
    Study.objects.filter(pk=of.pk).update(qualification_required=True)
    of.refresh_from_db()
    return made


def answers(**values: Any) -> Answers:
    """Return answers that are as expected, except for `values`."""
    body = factories.body()
    given = Answers.from_body(body["helpfulness"], body["harmlessness"])
    return Answers(**{**{name: getattr(given, name) for name in given.__slots__}, **values})


WRONG = {"helpfulness": "video_1", "harmlessness": "video_1", "tags_video_1": ()}


def answer(turn: Turn, person: User, *, right: bool = True, **values: Any) -> Turn:
    """Answer a turn as expected, or in every judged row otherwise."""
    about = {"submission_id": uuid4(), "timings_ms": {"total_active": 9000}, "viewing": {}} | values
    return attempts.answer(turn, person, answers=answers(**({} if right else WRONG)), **about)


def go_through(person: User, of: Study, kind: str, *, wrong: int = 0) -> Attempt:
    """Go through the training or the test. The first `wrong` pairs are answered otherwise than expected."""
    attempt = attempts.begin(person, of, kind)
    while (turn := attempts.next_step(attempt, person).turn) is not None:
        if turn.ended_at is None:
            answer(turn, person, right=wrong <= 0)
            wrong -= 1
        if kind == "training":
            attempts.go_on(turn, person)
    attempt.refresh_from_db()
    return attempt


def qualify(person: User, of: Study) -> Attempt:
    go_through(person, of, "training")
    return go_through(person, of, "test")


def item(of: PairSet, place: int = 1) -> SetItem:
    return SetItem.objects.get(set=of, place=place)


def half_way() -> tuple[Study, User, User, PairSet]:
    """Return a study that asks for qualification, its admin, a person in the training, and the draft of a new test.

    Somebody else has failed the test.
    """
    asking = factories.study()
    asker, qualifying = factories.member(asking, "admin"), factories.member(asking, "annotator")
    asks_for_qualification(asking, asker)
    failed = factories.member(asking, "annotator")
    go_through(failed, asking, "training")
    go_through(failed, asking, "test", wrong=5)
    attempts.begin(qualifying, asking, "training")
    return asking, asker, qualifying, sets.make_draft(asking, "test", actor=asker)
