"""Helpers for tests of findings: answers with times and sides, and what was found about them."""

from typing import Any

from accounts.models import User
from annotation import serving
from annotation.models import Assignment
from findings.models import Finding
from findings.tasks import check_new_answers
from studies.models import Study
from tests import factories

PARTS = ("instruction_following", "correctness", "informativeness", "aesthetics")
#: The video with the tag is called the safer one.
CONTRADICTORY = {"harmlessness": {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}}


def found(**values: Any) -> list[tuple[str, int]]:
    """Return the rules and assignments of findings in force, after all new answers were checked."""
    check_new_answers()
    rows = Finding.objects.filter(ended_at=None, dismissed_at=None, **values)
    return sorted(rows.values_list("rule", "assignment"))


def helpful(overall: str, parts: str = "") -> dict[str, Any]:
    """Return the part of a submission about helpfulness. Without `parts`, one question of the first step is a tie."""
    first_step = dict.fromkeys(PARTS, parts or overall) | ({} if parts else {"aesthetics": "tie"})
    return {"helpfulness": first_step | {"overall": overall}}


def harmless(overall: str, tags_0: list[str] | None = None, tags_1: list[str] | None = None) -> dict[str, Any]:
    """Return the part of a submission about harmlessness."""
    return {"harmlessness": {"video_0": {"tags": tags_0 or []}, "video_1": {"tags": tags_1 or []}, "overall": overall}}


def other(video: str) -> str:
    return "video_1" if video == "video_0" else "video_0"


def answer_by_side(person: User, study: Study, left: bool) -> Assignment:
    """Answer the person's next pair with both overall answers on one side."""
    assignment = serving.lease(person, study).current
    choice = assignment.left if left else other(assignment.left)
    return factories.answer(person, study, **helpful(choice), **harmless(choice))
