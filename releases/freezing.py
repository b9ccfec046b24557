"""Write the items, prompts and labels of a release in one statement, which sees the study at one moment.

Annotators go on meanwhile. The statement counts the funnel of the same moment, so that the numbers agree with the
items.
"""

from collections import Counter
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

import diptych
from diptych.database import locks
from diptych.refusals import BadInput, Refused
from exports import records
from jobs import engine
from jobs.policy import Policy
from releases import collection, filters, frozen_facts, funnel, licence_rows, licences, material, videos, weights
from releases.codes import code
from releases.licences import Material
from releases.models import Release

LICENCES_CHANGED = gettext_noop(
    "The licences of prompts or videos changed while the release waited, and its own licence is too wide or needs a "
    "reason now. Make the release again."
)
#: What only releases state, with the SQL that reads its present value. `exports.records.FROZEN` has all other facts.
MORE = {
    "prompt_language": "prompt.language",
    "prompt_labels": "prompt.labels",
    "prompt_labelled_by": "prompt.labelled_by",
    "prompt_source": "prompt.source",
    "prompt_source_detail": "prompt.source_detail",
    "prompt_licence": "prompt.licence",
    "prompt_set": "prompt.set",
    "cluster": "prompt.cluster",
    "video_0_refined_by": "video_0.refined_by",
    "video_0_licence": "video_0.licence",
    "video_0_fps": "video_0_asset.fps",
    "video_0_frames": "(video_0_asset.facts #>> '{playback,frames}')::integer",
    "video_1_refined_by": "video_1.refined_by",
    "video_1_licence": "video_1.licence",
    "video_1_fps": "video_1_asset.fps",
    "video_1_frames": "(video_1_asset.facts #>> '{playback,frames}')::integer",
    "part": material.PART,
    "weight": weights.WEIGHT,
    "weights": weights.WEIGHTS,
    "in_sample": "pair.in_sample",
    "selection_method": "pair.selection_method",
    "selection_probability": "pair.selection_probability",
    "selection_model": "pair.selection_model",
    "lot": "judged.lot",
    "lot_state": "coalesce(judged.lot_state, '')",
    "reviews": "coalesce(verdicts.ids, '{}')",
}
#: The columns of an item that copy facts, in the order of the statement.
COPIED = (*(records.column(field) for field in records.FROZEN), *MORE)
_values = ", ".join((*(f"frozen.{records.column(field)}" for field in records.FROZEN), *MORE.values()))
#: The order of all files: by prompt, pair, answer and revision. Published ids are compared byte by byte.
ORDER = 'prompt.public_id COLLATE "C", pair.public_id COLLATE "C", assignment.id, annotation.revision'

WRITE = f"""
WITH {funnel.JUDGED},
{material.WRITE},
written AS (
  INSERT INTO releases_releaseitem (study_id, release_id, annotation_id, place, {", ".join(COPIED)})
  SELECT %(study)s, %(release)s, annotation.id, row_number() OVER (ORDER BY {ORDER}), {_values}
  {records.ROWS}{records.PRESENT}
    JOIN judged ON judged.assignment_id = assignment.id
    LEFT JOIN verdicts ON verdicts.annotation_id = annotation.id
   WHERE judged.stage = 'released' AND judged.reason = ''
      OR %(with_invalid)s AND judged.stage = 'valid' AND judged.chosen AND standing.counted
  RETURNING standing__current AS is_current, standing__validity AS validity, part, annotation_id)
SELECT 'funnel', stage, reason, count(*) FROM judged GROUP BY stage, reason
UNION ALL
SELECT 'revisions', validity, '', count(*) FROM written GROUP BY validity
UNION ALL
SELECT 'answers', validity, part, count(*) FROM written WHERE is_current GROUP BY validity, part
UNION ALL
SELECT 'protocol', protocol_version::text, '', count(*)
  FROM written JOIN annotation_annotation annotation ON annotation.id = written.annotation_id
 WHERE is_current AND validity = 'valid' GROUP BY protocol_version
UNION ALL
SELECT 'guideline', guideline_version::text, '', count(*)
  FROM written JOIN annotation_annotation annotation ON annotation.id = written.annotation_id
 WHERE is_current AND validity = 'valid' GROUP BY guideline_version
UNION ALL
{material.COUNT}
"""  # noqa: S608 - of names in this module


def freeze(policy: Policy[Release], release: Release) -> None:
    """Write the items, the funnel and the counts of a claimed release.

    Raise NothingLeft, Cancelled or TakenOver, and Refused if videos whose files it shall have lack them, or if its
    licence is too wide by now.

    A worker that lost its claim waits for the lock, and then finds that the claim is lost. So items are written once.
    """
    study = release.study
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, study.pk)
        engine.go_on_or_raise(policy, release.pk, release.fence)
        known = weights.of_release(release)
        counted = _write(release, known)
        licensed = licence_rows.frozen(release)
        _check_licence(release, licensed)
        found = funnel.stages((stage, reason, number) for what, stage, reason, number in counted if what == "funnel")
        funnel.refuse_empty(found)
        if videos.WITH_FILES & set(release.formats):
            videos.freeze(release)
        row = engine.locked(policy, release.pk, release.fence)
        row.frozen_at = timezone.now()
        row.funnel = [stage.as_json() for stage in found]
        row.counts = _counts(counted)
        versions = {"code": diptych.__version__} | _versions(counted)
        row.about = {"study": study.slug, "title": study.title, "versions": versions, "weights": known.about}
        if study.is_simulated:
            row.about["simulated"] = True  # so that the manifest says it
        row.about["collection"] = collection.facts(release)
        row.about["card"] = frozen_facts.of_release(release, licensed)
        row.files_stored = True  # from now on, files may follow
        row.save(update_fields=["frozen_at", "funnel", "counts", "about", "files_stored"])
    release.refresh_from_db(fields=["frozen_at", "funnel", "counts", "about"])


def _check_licence(release: Release, material: list[Material]) -> None:
    """Raise Refused if the licence is too wide now: those of the material can have changed since it was asked for."""
    try:
        licences.require(release.licence, release.licence_reason, material)
    except BadInput as changed:
        raise Refused(LICENCES_CHANGED) from changed


def _write(release: Release, known: weights.Weights) -> list[tuple[str, str, str, int]]:
    """Run the statement. Return what it counted: what, two words that say of which kind, and how many."""
    values = funnel.values(release.study, filters.from_json(release.filter))
    codes = [code(release.family, person) for person in values["people"]]
    about = {"release": release.pk, "slug": release.study.slug, "with_invalid": release.with_invalid}
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values | about | known.parameters() | {"pseudonyms": codes})
        rows: list[tuple[str, str, str, int]] = cursor.fetchall()
    return rows


def _counts(counted: list[tuple[str, str, str, int]]) -> dict[str, Any]:
    revisions, parts, invalid = Counter[str](), Counter[str](), 0
    prompts, labels = Counter[str](), 0
    for what, kind, part, number in counted:
        if what == "revisions":
            revisions[kind] += number
        elif what == "prompts":
            prompts[kind] += number
        elif what == "labels":
            labels += number
        elif what == "answers" and kind == "valid":
            parts[part] += number
        elif what == "answers":
            invalid += number
    return {
        "answers": parts.total(),
        "revisions": revisions["valid"],
        "invalid_answers": invalid,
        "invalid_revisions": revisions["invalid"],
        "answers_by_part": dict(sorted(parts.items())),
        "prompts": prompts.total(),
        "prompts_by_part": dict(sorted(prompts.items())),
        "labels": labels,
    }


def _versions(counted: list[tuple[str, str, str, int]]) -> dict[str, dict[str, int]]:
    """Return the number of answers by protocol version and by guideline version."""
    return {
        kind: {version: number for what, version, _none, number in sorted(counted) if what == kind}
        for kind in ("protocol", "guideline")
    }
