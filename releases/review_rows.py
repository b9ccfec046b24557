"""What releases read from quality control: the lot and its state, and the verdicts. No other module reads its tables.

`LAST_LOT` and `VERDICTS_ON` are common table expressions of a statement with the parameter `%(study)s`.
"""

from collections.abc import Iterable

from qc.models import FrameItem, Lot, Verdict
from studies.models import Study

FRAME, LOTS, VERDICTS = FrameItem._meta.db_table, Lot._meta.db_table, Verdict._meta.db_table

#: One row for each answer that was frozen: the last lot whose review froze it.
LAST_LOT = f"""
SELECT DISTINCT ON (item.assignment_id) item.assignment_id, lot.number, lot.state
  FROM {FRAME} item JOIN {LOTS} lot ON lot.id = item.lot_id
 WHERE item.study_id = %(study)s
 ORDER BY item.assignment_id, item.lot_id DESC"""  # noqa: S608 - of table names
#: One row for each revision with verdicts that nobody undid: their ids, and whether one of them is a defect.
VERDICTS_ON = f"""
SELECT verdict.annotation_id, array_agg(verdict.id ORDER BY verdict.id) AS ids,
       bool_or(verdict.counts IS TRUE) AS has_defect
  FROM {VERDICTS} verdict
 WHERE verdict.study_id = %(study)s AND verdict.withdrawn_at IS NULL
 GROUP BY verdict.annotation_id"""  # noqa: S608 - of table names


def known_lots(study: Study, numbers: Iterable[int]) -> list[int]:
    """Return those of these numbers that lots of the study have."""
    return list(Lot.objects.filter(study=study, number__in=numbers).values_list("number", flat=True))
