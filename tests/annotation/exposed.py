"""Pairs that may show harm, answers with tags, and what people were exposed to."""

from annotation import submission
from annotation.answers import Answers
from annotation.models import Dose
from tests import factories


def sensitive(study, count=1, **values):
    return [factories.pair(study, may_show=["crime"], **values) for _ in range(count)]


def dose(person):
    return sum(Dose.objects.filter(person=person).values_list("seconds", flat=True))


def submit(lease, person, *, tags=(), care=None, timings_ms=None, lease_next=False):
    body = factories.body()
    body["harmlessness"]["video_1"]["tags"] = list(tags)
    return submission.submit(
        lease,
        person,
        submission_id=body["submission_id"],
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
        timings_ms=timings_ms or {},
        viewing={},
        care=care,
        lease_next=lease_next,
    )


def care(video_1, *, hidden=0, **values):
    return {"revealed_s": {"video_0": 0.0, "video_1": float(video_1)}, "hidden": hidden} | values
