"""Labels of an import: find what they are about, and write them. Values are never mixed with answers of people.

A label may be about material of the manifest, or about material that the study has already: results of a model often
come long after the videos.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext_noop as _
from psycopg import sql
from psycopg.types.json import Jsonb

from catalog.models import Label, Prompt, Video
from catalog.models.labels import CHOICE_QUESTIONS
from importing.report import Difference, ImportReport, Tally
from importing.staging import Staged, execute, fetch, refresh_statistics
from sources.intake import Intake
from sources.label_lines import MIRRORED
from sources.rows import Manifest, Place
from sources.sentences import Sentence
from studies.models import Study

KEY = "subject, one, other, question, labeller, labeller_version, setting"
REPEATED = _("The same label is also in %(place)s: same subject, question, labeller, version and setting")
REFUSED = {
    "prompt": _("The prompt %(id)s was refused (%(place)s)"),
    "video": _("The video %(id)s was refused (%(place)s)"),
}
UNKNOWN = {
    "prompt": _("Neither the manifest nor the study has a prompt with the id %(id)s"),
    "video": _("Neither the manifest nor the study has a video with the id %(id)s"),
}
#: Ids that labels name, each with its table, where the manifest has no such row.
ELSEWHERE = """
SELECT label.row, named.kind, named.id, named.field, label.subject
  FROM label JOIN (
    SELECT row, CASE subject WHEN 'prompt' THEN 'prompt' ELSE 'video' END AS kind, one AS id, 'one_id' AS field
      FROM label
     UNION ALL SELECT row, 'video', other, 'other_id' FROM label WHERE other IS NOT NULL) named USING (row)
 WHERE label.row {after}
   AND NOT EXISTS (SELECT 1 FROM prompt WHERE named.kind = 'prompt' AND prompt.id = named.id)
   AND NOT EXISTS (SELECT 1 FROM video WHERE named.kind = 'video' AND video.id = named.id)
 ORDER BY label.row, named.field"""


def refuse_repeated(found: Manifest, intake: Intake) -> None:
    """Refuse all but the first line of labels that are given twice."""
    rows = intake.fetch(f"""
        SELECT label.row, first.file, first.line
          FROM (SELECT min(row) AS row, {KEY} FROM label GROUP BY {KEY} HAVING count(*) > 1) twice
          JOIN label first ON first.row = twice.row
          JOIN label ON label.row > twice.row AND label.subject = twice.subject AND label.one = twice.one
               AND label.other IS twice.other AND label.question = twice.question AND label.labeller = twice.labeller
               AND label.labeller_version = twice.labeller_version AND label.setting = twice.setting
         ORDER BY label.row
    """)  # noqa: S608 - of names in this module
    for row, file, line in rows:
        intake.refuse("label", row, "question", Sentence(REPEATED, place=str(Place(file, line))), found)


def check_subjects(found: Manifest, intake: Intake, slug: str) -> None:
    """Refuse labels about material that was refused, or that neither the manifest nor the study has.

    It can be repeated: after more rows were refused, it refuses the labels that need them.
    """
    study = Study.objects.filter(slug=slug).first()
    for rows in intake.chunks(ELSEWHERE):
        known = {kind: _known(study, kind, {id for _row, one, id, *_rest in rows if one == kind}) for kind in UNKNOWN}
        wrong: dict[int, tuple[str, Sentence]] = {}
        for row, kind, local, field, subject in rows:
            place = found.refused.get((kind, local))
            if place is not None:
                wrong.setdefault(row, (_column(subject, field), Sentence(REFUSED[kind], id=local, place=str(place))))
            elif local in known[kind]:
                intake.execute(f"UPDATE label SET {field} = ? WHERE row = ?", known[kind][local], row)  # noqa: S608
            else:
                wrong.setdefault(row, (_column(subject, field), Sentence(UNKNOWN[kind], id=local)))
        for row, (column, reason) in wrong.items():
            intake.refuse("label", row, column, reason, found)


def _column(subject: str, field: str) -> str:
    """Return the field of the line that names the subject. A pair's line may name its videos in either order."""
    return subject if subject != "pair" else {"one_id": "video_0", "other_id": "video_1"}[field]


def _known(study: Study | None, kind: str, ids: set[str]) -> dict[str, str]:
    """Return the published id of each of these ids that the study has, as published or as source id."""
    if study is None or not ids:
        return {}
    model: Any = {"prompt": Prompt, "video": Video}[kind]
    rows = model.objects.filter(study=study)
    sources = dict(rows.filter(source_id__in=ids).values_list("source_id", "public_id"))
    return sources | {one: one for one in rows.filter(public_id__in=ids).values_list("public_id", flat=True)}


STAGED = {
    "subject": "text", "one": "text", "other": "text", "question": "text", "labeller": "text",
    "labeller_version": "text", "setting": "text", "value": "jsonb", "mirrored": "jsonb",
}  # fmt: skip
#: The labels with the published ids of what they are about.
READ = """
SELECT label.row, label.subject,
       coalesce(label.one_id, CASE label.subject WHEN 'prompt' THEN prompt.public_id ELSE one.public_id END),
       coalesce(label.other_id, other.public_id), label.question, label.labeller, label.labeller_version,
       label.setting, label.value
  FROM label LEFT JOIN prompt ON label.subject = 'prompt' AND prompt.id = label.one
       LEFT JOIN video one ON label.subject <> 'prompt' AND one.id = label.one
       LEFT JOIN video other ON other.id = label.other
 ORDER BY label.row"""
FOUND = sql.SQL("""
CREATE TEMPORARY TABLE found_label ON COMMIT DROP AS
SELECT staged.row, prompt.id AS prompt_id, NULL::bigint AS video_id, NULL::bigint AS pair_id, staged.value
  FROM staged_label staged
  JOIN catalog_prompt prompt ON prompt.study_id = %(study)s AND prompt.public_id = staged.one
 WHERE staged.subject = 'prompt'
 UNION ALL
SELECT staged.row, NULL, video.id, NULL, staged.value
  FROM staged_label staged
  JOIN catalog_video video ON video.study_id = %(study)s AND video.public_id = staged.one
 WHERE staged.subject = 'video'
 UNION ALL
SELECT staged.row, NULL, NULL, pair.id, CASE WHEN pair.video_0_id = one.id THEN staged.value ELSE staged.mirrored END
  FROM staged_label staged
  JOIN catalog_video one ON one.study_id = %(study)s AND one.public_id = staged.one
  JOIN catalog_video other ON other.study_id = %(study)s AND other.public_id = staged.other
  JOIN catalog_pair pair ON pair.study_id = %(study)s AND pair.kind = 'real'
   AND least(pair.video_0_id, pair.video_1_id) = least(one.id, other.id)
   AND greatest(pair.video_0_id, pair.video_1_id) = greatest(one.id, other.id)
 WHERE staged.subject = 'pair'
""")
INSERT = sql.SQL("""
INSERT INTO catalog_label (study_id, import_number, prompt_id, video_id, pair_id, question, labeller,
                           labeller_version, setting, value, refused)
SELECT %(study)s, %(number)s, about.prompt_id, about.video_id, about.pair_id, staged.question, staged.labeller,
       staged.labeller_version, staged.setting, about.value, about.value IS NULL
  FROM found_label about JOIN staged_label staged USING (row)
 ORDER BY staged.row
    ON CONFLICT DO NOTHING
""")
DIFFERING = sql.SQL("""
SELECT staged.row, CASE WHEN about.value IS NULL OR there.refused THEN 'refused' ELSE 'value' END
  FROM found_label about JOIN staged_label staged USING (row)
  JOIN catalog_label there
    ON there.study_id = %(study)s AND there.prompt_id IS NOT DISTINCT FROM about.prompt_id
   AND there.video_id IS NOT DISTINCT FROM about.video_id AND there.pair_id IS NOT DISTINCT FROM about.pair_id
   AND there.question = staged.question AND there.labeller = staged.labeller
   AND there.labeller_version = staged.labeller_version AND there.setting = staged.setting
 WHERE there.value IS DISTINCT FROM about.value
 ORDER BY staged.row
""")
NO_PAIR = sql.SQL("""
SELECT count(*), min(staged.row) FROM staged_label staged LEFT JOIN found_label USING (row)
 WHERE found_label.row IS NULL
""")


def write(study: Study, number: int | None, intake: Intake, report: ImportReport) -> None:
    """Add new labels, after all pairs were added. Existing ones are not changed: other values are reported."""
    with Staged("staged_label", STAGED) as staged:
        staged.copy(_staged(row) for row in intake.stream(READ))
        staged.number()
        execute(FOUND, study=study.pk)
        execute(sql.SQL("CREATE INDEX ON found_label (row)"))
        execute(sql.SQL("ANALYZE found_label"))
        [(unpaired, first)] = fetch(NO_PAIR)
        added = execute(INSERT, study=study.pk, number=number)
        report.differences += _differences(study, intake)
        execute(sql.SQL("DROP TABLE found_label"))
    report.labels = Tally(added, intake.count("label") - added - unpaired)
    refresh_statistics(Label, added)
    if unpaired:
        template = _(
            "%(count)s labels were not imported, because the study does not compare their two videos. The first is in "
            "%(place)s."
        )
        report.warnings.append(Sentence(template, count=unpaired, place=str(intake.place("label", first))))


def _staged(row: Sequence[Any]) -> list[Any]:
    """Return the values of a staged label: also its value as it is if the pair has its videos in the other order."""
    *columns, written = row
    value = None if written is None else orjson.loads(written)
    mirrored = value
    if columns[1] == "pair" and columns[4] in CHOICE_QUESTIONS:
        mirrored = MIRRORED.get(str(value), value)
    return [*columns, *(None if one is None else Jsonb(one) for one in (value, mirrored))]


def _differences(study: Study, intake: Intake) -> Iterator[Difference]:
    for row, field in fetch(DIFFERING, study=study.pk):
        yield Difference("label", "", *intake.place("label", row), [field])
