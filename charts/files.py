"""Draw a chart as a PNG or SVG file, as a job. The file is kept in its row for a day."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from charts import specifications
from charts.catalogue import Chart
from charts.models import ChartFile
from jobs import engine
from jobs.heartbeat import heartbeat
from jobs.pages import JobCard, words
from jobs.policy import Policy
from studies.models import Study

State, Format = ChartFile.State, ChartFile.Format
#: The version of Vega-Lite of the page's script and of files.
VEGA_LITE = "6.4"
KEPT = timedelta(days=1)
WIDTH, TEXT, BACKGROUND = 640, "#1b1d20", "#ffffff"
#: The first font has no Chinese characters, and the next ones have. One of them must be installed where workers run.
FONT = '"Liberation Sans", "WenQuanYi Micro Hei", "Noto Sans CJK SC", sans-serif'
TROUBLE = gettext_noop(
    "The database failed several times. Tell the operator of this installation. The log has details."
)
NO_END = gettext_noop("The chart was started several times but never drawn. Tell the operator of this installation.")


def ask(study: Study, chart: Chart, format: str, *, actor: User) -> ChartFile:
    """Return the file of this chart, or have it drawn by a worker. Files of earlier days are deleted.

    Two requests at once get the same row: the constraint `chartfile_once` keeps one of them.
    """
    made = specifications.dress(chart.specification, text=TEXT, background=BACKGROUND, width=WIDTH, font=FONT)
    digest = hashlib.sha256(json.dumps([made, format], sort_keys=True).encode()).hexdigest()
    row: dict[str, Any] = {
        "name": f"{study.slug}-{chart.name}",
        "specification": made,
        "asked_by": actor,
        "page": chart.page,
    }
    kept = ChartFile.objects.filter(study=study, digest=digest).exclude(state__in=[State.FAILED, State.CANCELLED])
    with transaction.atomic():
        ChartFile.objects.filter(study=study, finished_at__lt=timezone.now() - KEPT).delete()
        new = ChartFile(study=study, digest=digest, format=Format(format), **row)
        ChartFile.objects.bulk_create([new], ignore_conflicts=True)
        file = kept.defer("specification", "content").get()
        if file.is_open:
            engine.announce(POLICY, file.pk)
    return file


def run(file_id: int) -> None:
    """Draw the chart, if it waits and no other worker has it."""
    engine.run(POLICY, file_id, work)


def work(file: ChartFile) -> None:
    """Draw the chart and store the file with the end of the job. Raises TakenOver."""
    with heartbeat(POLICY, file):
        content = drawn(file.specification, file.format)
        engine.end(POLICY, file.pk, file.fence, State.DONE, content=content)


def drawn(specification: dict[str, Any], format: str) -> bytes:
    """Return the chart as bytes. It may fetch nothing. Raise ValueError for a wrong specification."""
    import vl_convert  # of 30 MB, and only workers draw

    if format == Format.SVG:
        return str(vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE, allowed_base_urls=[])).encode()
    return bytes(vl_convert.vegalite_to_png(specification, vl_version=VEGA_LITE, scale=2, allowed_base_urls=[]))


def card(file: ChartFile) -> JobCard:
    """Return the card of a chart that is being drawn."""
    return JobCard(
        **words(file, doing=_("Drawing")),
        title=_("Chart as a file"),
        about=f"{file.name}.{file.format}",
        watch=reverse("charts:chart_progress", args=[file.study.slug, file.pk]),
    )


POLICY = Policy(
    model=ChartFile,
    name="Chart",
    task="charts.tasks.draw_chart",
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
)
