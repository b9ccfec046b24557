"""The references for the product: the same server, middleware and sign-in, and as little else as possible.

Both are plain views without REST framework and serializers. The ORM is used only for the person who signs in.
"""

from typing import Any

import orjson
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS

MADE_SEAT = """
INSERT INTO annotation_seat (study_id, person_id, served, left_balance, question_order, tag_order)
VALUES (%s, %s, 0, 0, %s, %s) ON CONFLICT DO NOTHING
"""
SEAT = "SELECT id FROM annotation_seat WHERE study_id = %s AND person_id = %s FOR UPDATE"
ANSWERED = """
UPDATE annotation_assignment SET state = 'submitted', ended_at = now(), draft = NULL
 WHERE id = %s AND person_id = %s AND state = 'leased'
"""
ANNOTATION = """
INSERT INTO annotation_annotation
       (study_id, assignment_id, revision, author_id, author_kind, submission_id, submitted_at, instruction_following,
        correctness, informativeness, aesthetics, helpfulness, harmlessness, tags_video_0, tags_video_1,
        active_ms, timings_ms, viewing, presentation, protocol_version, guideline_version)
VALUES (%s, %s, 1, %s, 'annotator', %s, now(), %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, %s, 1, 1) RETURNING id
"""
STANDING = """
INSERT INTO annotation_standing (study_id, assignment_id, current_id, validity, reason, counted, tags_unnoted)
VALUES (%s, %s, %s, 'valid', '', true, true)
"""
AUDIT = """
INSERT INTO accounts_auditevent (at, actor_id, action, subject, subject_id, study_slug, after, address)
VALUES (now(), %s, 'annotation.submitted', 'annotation_annotation', %s, 'bare', %s, '127.0.0.1')
"""
PROMOTED = """
UPDATE annotation_assignment
   SET place = 'current', shown_at = now(), expires_at = now() + interval '30 minutes'
 WHERE study_id = %s AND person_id = %s AND state = 'leased' RETURNING id
"""
TAKEN = """
UPDATE catalog_pair SET open_slots = open_slots - 1
 WHERE id = (SELECT id FROM catalog_pair pair
              WHERE study_id = %s AND lane = 0 AND kind = 'real' AND open_slots > 0 AND ready AND held = ''
                AND NOT EXISTS (SELECT FROM annotation_assignment had
                                 WHERE had.pair_id = pair.id AND had.person_id = %s)
              ORDER BY priority * -1, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
LEASED = """
INSERT INTO annotation_assignment
       (study_id, pair_id, person_id, round, round_reason, "left", dimension_first, state, place, leased_at, shown_at,
        expires_at, skip_reason, protocol_version, guideline_version)
VALUES (%s, %s, %s, 0, '', 'video_0', 'helpfulness', 'leased', %s, now(), CASE WHEN %s THEN now() END,
        now() + interval '10 minutes', '', 1, 1)
RETURNING id
"""
COUNTED = """
UPDATE annotation_seat
   SET served = served + 1, left_balance = left_balance + 1, active_ms = active_ms + 1,
       since_break_ms = since_break_ms + 1, worked_until = now(), positions = %s
 WHERE id = %s
"""


def empty(request: HttpRequest) -> HttpResponse:
    """Respond with `{}` to any signed-in person."""
    return json({}) if request.user.is_authenticated else HttpResponse(status=401)


@transaction.atomic
def bare(request: HttpRequest, study_id: int) -> HttpResponse:
    """Write the rows that the product writes for one answer and one lease, one statement each.

    `{"assignment": null}` leases the first two pairs. Any other body is a submission with `assignment` in it.
    """
    person_id = request.user.pk
    if person_id is None:
        return HttpResponse(status=401)
    body = orjson.loads(request.body)
    with connection.cursor() as cursor:

        def one(statement: str, *values: Any) -> Any:
            """Return the only column of the first row, or None."""
            cursor.execute(statement, values)
            row = cursor.fetchone()
            return row and row[0]

        def lease(place: str) -> int | None:
            pair_id = one(TAKEN, study_id, person_id)
            if pair_id is None:
                return None
            cursor.execute(COUNTED, [text({"ahead_0": [0, pair_id]}), seat_id])
            return one(LEASED, study_id, pair_id, person_id, place, place == "current")

        if body["assignment"] is None:
            cursor.execute(MADE_SEAT, [study_id, person_id, list(SUB_DIMENSION_KEYS), list(HARM_KEYS)])
            seat_id = one(SEAT, study_id, person_id)
            return json({"current": named(lease("current")), "next": named(lease("next"))})
        seat_id = one(SEAT, study_id, person_id)
        cursor.execute(ANSWERED, [body["assignment"], person_id])
        if cursor.rowcount != 1:
            return HttpResponse(status=409)
        annotation_id = one(ANNOTATION, study_id, *columns(body, person_id))
        cursor.execute(STANDING, [study_id, body["assignment"], annotation_id])
        after = text({"assignment": body["assignment"], "counted": True})
        cursor.execute(AUDIT, [person_id, str(annotation_id), after])
        current = one(PROMOTED, study_id, person_id)
        return json({"current": named(current), "next": named(lease("next"))}, status=201)


def columns(body: dict[str, Any], person_id: int) -> list[Any]:
    """Return the values of an annotation's row."""
    helpfulness, harmlessness = body["helpfulness"], body["harmlessness"]
    return [
        body["assignment"],
        person_id,
        body["submission_id"],
        *(helpfulness[key] for key in SUB_DIMENSION_KEYS),
        helpfulness["overall"],
        harmlessness["overall"],
        harmlessness["video_0"]["tags"],
        harmlessness["video_1"]["tags"],
        text(body["timings_ms"]),
        text(body["viewing"]),
        text({"left": "video_0", "dimension_first": "helpfulness"}),
    ]


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def named(assignment_id: int | None) -> dict[str, int] | None:
    """Return an assignment in the form that the client reads."""
    return None if assignment_id is None else {"id": assignment_id}


def json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json", status=status)
