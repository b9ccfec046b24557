"""The reader of the page Quality: what they may see, the numbers they share between tables, and addresses of rows.

Addresses of rows are left out for readers who may not see these rows. What was found in lots that are not decided, and
how strict reviewers are, is only for people who decide lots.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import User
from figures.models import QualityFigures
from figures.overview import decided, defects, forecast
from figures.overview.defects import Span
from qc import waiting
from studies.models import Study


@dataclass
class Reader:
    """One reader of one study's page. decides: whether they decide lots, and therefore see all rows."""

    study: Study
    span: Span
    figures: QualityFigures | None
    decides: bool
    now: datetime

    @cached_property
    def waits(self) -> list[dict[str, Any]]:
        """Return the stored counts of waiting answers, of the lot in the address or of all."""
        rows = self.figures.figures.get("waiting", []) if self.figures else []
        return [row for row in rows if self.span.lot is None or row["lot"] == self.span.lot.number]

    @cached_property
    def paces(self) -> dict[str, list[int]]:
        """Return the answers that were reviewed on each of the seven days before the counting, by kind of review."""
        found = self.figures.figures.get("paces", {}) if self.figures else {}
        return {kind: found.get(kind, [0] * forecast.DAYS) for kind in waiting.KINDS}

    @cached_property
    def people(self) -> dict[int, str]:
        """Return the names of everybody in the stored figures."""
        stored = self.figures.figures if self.figures else {}
        keys = {row[name] for row in stored.get("waiting", []) for name in ("assigned", "held")}
        keys |= {row["reviewer"] for row in stored.get("strictness", [])}
        return dict(User.objects.filter(pk__in=keys - {None}).values_list("pk", "username"))

    def waiting_rows(self, **about: Any) -> str:
        """Return the address of waiting answers, for readers who may see them. Other readers go to their reviews."""
        if not self.decides:
            return reverse("qc:reviews", args=[self.study.slug])
        if self.span.lot and "lot" not in about:
            about["lot"] = self.span.lot.number
        return f"{reverse('figures:waiting', args=[self.study.slug])}?{urlencode(about)}"

    @cached_property
    def numbers(self) -> list[defects.Counted]:
        return defects.counted(defects.defects(self.study, self.span, decides=self.decides))

    def defect_rows(self, **about: Any) -> str:
        """Return the address of defects, for readers who may see answers."""
        if not self.decides:
            return ""
        if self.span.lot:
            about["lot"] = self.span.lot.number
        if self.span.since:
            about["since"] = self.span.since.isoformat()
        return f"{reverse('figures:defects', args=[self.study.slug])}?{urlencode(about)}"

    @cached_property
    def batches(self) -> list[decided.DecidedBatch]:
        return decided.decided_batches(self.study, self.span)

    def decided_rows(self, **about: Any) -> str:
        """Return the address of the batches of decided lots."""
        if self.span.lot:
            about["lot"] = self.span.lot.number
        if self.span.since:
            about["since"] = self.span.since.isoformat()
        return f"{reverse('figures:decided', args=[self.study.slug])}?{urlencode(about)}"
