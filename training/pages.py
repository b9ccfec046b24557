"""What pages show about runs: the card of a run's job, its curve, and its figures."""

from datetime import timedelta
from typing import Any, NamedTuple
from zlib import crc32

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from answers.words import QUESTIONS
from diptych.durations import MINUTE, SECOND, in_words
from diptych.sentences import joined
from jobs.pages import JobCard, grouped, lasting, words
from studies import job_lists
from studies.models import Study
from training.kinds import Kind
from training.models import ModelFamily, Run
from training.registry_words import FIGURES

State = Run.State
#: Seconds that a stage has to last before its speed says how long the rest takes.
LEAST_S = 3
#: Lines at the end of the log that a page shows.
LOG_LINES = 100


def family_name(family: ModelFamily) -> str:
    """Return the name of a family in words, such as `Helpfulness (small)`."""
    if family.kind == Kind.MODERATION:
        name = _("Moderation")
    else:
        name = ", ".join(str(QUESTIONS[target]) for target in family.targets)
    return f"{name} ({family.backbone})"


def title(run: Run) -> str:
    """Return the name of a run on pages and in lists."""
    return _("Training run %(n)s") % {"n": run.pk}


def card(run: Run) -> JobCard:
    """Return the card of the job of a run."""

    def link(name: str) -> str:
        return reverse(f"training:{name}", args=[run.study.slug, run.pk])

    can_resume = run.state in {State.FAILED, State.CANCELLED}
    return JobCard(
        **words(run, doing=doing(run), cancel=link("cancel")) | {"how_far": how_far(run)},
        title=title(run),
        about=family_name(run.family),
        meanwhile=_("A training worker does the run. You can leave this page."),
        outcome=outcome(run),
        page=link("run"),
        watch=link("progress"),
        cancel_ask=_("Cancel this run…"),
        cancel_label=_("Cancel the run"),
        cancel_about=_("Its worker stops the program within a few seconds. The run gets no model version."),
        resume=link("again") if can_resume else "",
        resume_label=_("Run again"),
    )


def how_far(run: Run) -> str:
    """Return how many steps of the stage are complete, and how long the rest takes; empty if that is not known."""
    if not run.steps_total:
        return ""
    total = {"n": grouped(run.steps), "total": grouped(run.steps_total)}
    left = time_left(run)
    if left is None:
        return _("%(n)s of %(total)s steps") % total
    total["time"] = in_words(left, to=MINUTE if left >= 2 * MINUTE else SECOND)
    if run.stage == "training":  # it may stop early
        return _("%(n)s of %(total)s steps, at most %(time)s left") % total
    return _("%(n)s of %(total)s steps, about %(time)s left") % total


def time_left(run: Run) -> float | None:
    """Return in seconds how long the stage takes from now on, at the speed of the present attempt. None: not known."""
    done = run.steps - run.stage_from
    if run.state != State.RUNNING or run.stage_at is None or run.heartbeat_at is None or done <= 0:
        return None
    took = (run.heartbeat_at - run.stage_at).total_seconds()
    if took < LEAST_S:
        return None
    since = (timezone.now() - run.heartbeat_at).total_seconds()
    return max(1.0, round(took / done * (run.steps_total - run.steps) - since))


def reported(run: Run) -> str:
    """Return a text that changes when the worker sent new points or new lines of the log."""
    return f"{run.steps} {run.loss} {crc32(run.log.encode())}"


def log_end(run: Run) -> str:
    """Return the last lines of the log that a page shows."""
    return "\n".join(run.log.splitlines()[-LOG_LINES:])


def doing(run: Run) -> str:
    """Return what the run does now."""
    stages = {
        "embedding": _("Computing embeddings"),
        "training": _("Training the model"),
        "evaluating": _("Evaluating"),
        "uploading": _("Uploading the model"),
    }
    return stages.get(run.stage, _("Starting the program"))


def outcome(run: Run) -> str:
    """Return the outcome in a few words; empty while the run is open."""
    if run.state == State.DONE:
        return _("Done in %(time)s.") % {"time": duration(run)}
    if not run.reason or run.is_open:
        return ""
    sentences = [_(run.reason)]
    if run.state == State.FAILED and run.attempts > 1:
        sentences.append(_("It was tried %(n)s times.") % {"n": grouped(run.attempts)})
    return joined(sentences)


def duration(run: Run) -> str:
    """Return how long the program ran, in words; empty if it is not known."""
    return lasting(timedelta(seconds=run.wall_s)) if run.wall_s is not None else ""


class Figure(NamedTuple):
    """One metric as a row of the table."""

    name: str
    target: str
    value: str
    interval: str
    baseline: str
    number: str
    note: str


def figures(run: Run) -> list[Figure]:
    """Return the metrics of a run as rows."""
    return [
        Figure(
            name=figure_name(str(one.get("figure", ""))),
            target=" ".join(filter(None, (question(one.get("target")), str(one.get("tag") or "")))),
            value=number(one.get("value")),
            interval=interval(one),
            baseline=number(one.get("baseline")),
            number=grouped(int(one["n"])) if isinstance(one.get("n"), int) else "",
            note=str(one.get("note") or ""),
        )
        for one in run.metrics or []
    ]


def figure_name(figure: str) -> str:
    """Return the name of a figure in words. An unknown one keeps its name."""
    return str(FIGURES.get(figure, figure))


def question(target: Any) -> str:
    """Return the name of a target in words."""
    return str(QUESTIONS[target]) if target in QUESTIONS else str(target or "")


def number(value: Any) -> str:
    """Return a figure with three decimals; empty if it is not defined."""
    return f"{value:.3f}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def interval(one: dict[str, Any]) -> str:
    low, high = number(one.get("low")), number(one.get("high"))
    return f"{low} – {high}" if low and high else ""


def resources(run: Run) -> list[tuple[str, str]]:
    """Return what the run used at most, in words."""
    highest = run.resources.get("highest", {}) if isinstance(run.resources, dict) else {}
    labels = {
        "memory_mib": (_("Memory"), "MiB"),
        "processor_percent": (_("Processors, in percent of one"), "%"),
        "gpu_memory_mib": (_("GPU memory"), "MiB"),
        "gpu_percent": (_("GPU use"), "%"),
    }
    return [
        (label, f"{grouped(round(highest[name]))} {unit}")
        for name, (label, unit) in labels.items()
        if isinstance(highest.get(name), int | float)
    ]


def runs_of(study: Study) -> QuerySet[Run]:
    """Return the runs of a study, latest first, with what lists show."""
    related = ("study", "release", "family", "worker", "asked_by", "made")
    return Run.objects.filter(study=study).select_related(*related).order_by("-pk")


def state(run: Run) -> str:
    """Return the state of a run in words."""
    return pgettext("run", "done") if run.state == State.DONE else str(run.get_state_display())


JOBS = job_lists.of_rows(Run, card)
