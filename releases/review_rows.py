"""What releases read from quality control: the lot and its state, and the verdicts. No other module reads its tables.

`LAST_LOT` and `VERDICTS_ON` are common table expressions of a statement with the parameter `%(study)s`.
"""

from collections.abc import Iterable
from typing import Any

from qc.models import FrameItem, Lot, LotDecision, Verdict
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


def lot_facts(study: Study, numbers: Iterable[int | None]) -> list[dict[str, Any]]:
    """Return what was decided about these lots, by number, with the figures of the decision that stands.

    `figures` are as `qc.quality.as_json` makes them: plan, samples, and rates of defects with intervals. None: a lot
    that is not decided, or was decided without a sample.
    """
    lots = Lot.objects.filter(study=study, number__in=[number for number in numbers if number is not None]).order_by(
        "number"
    )
    latest = LotDecision.objects.filter(lot__in=lots).order_by("lot", "-pk").distinct("lot")
    figures = dict(latest.values_list("lot", "figures__quality"))
    return [
        {
            "lot": lot.number,
            "attempt": lot.attempt,
            "state": lot.state,
            "answers": lot.frame_size,
            "decided_on": lot.decided_at.date().isoformat() if lot.decided_at else None,
            "figures": figures.get(lot.pk),
        }
        for lot in lots
    ]
