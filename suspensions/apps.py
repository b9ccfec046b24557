"""The app `suspensions` adds its tabs and jobs to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SuspensionsConfig(AppConfig):
    name = "suspensions"

    def ready(self) -> None:
        from answers.my_work import notices
        from controls import withdrawing
        from controls.signals import control_withdrawn
        from studies import deletion, home
        from studies import permissions as may
        from studies.job_lists import kinds
        from studies.links import Link, Place, register
        from suspensions import pauses_undone, suspending, suspension_pages
        from suspensions.models import (
            Pause,
            PauseJudgement,
            PauseRule,
            SuspendedAnswer,
            Suspension,
            UndoneJudgement,
        )

        control_withdrawn.connect(pauses_undone.undo_judgements, dispatch_uid="suspensions.undo_judgements")
        withdrawing.consequences.append(pauses_undone.said_of)
        notices.append(pauses_undone.notice)
        home.own_lines["pauses"] = pauses_undone.lines
        home.own_lines["suspensions"] = suspending.lines

        rules = ("pauses", _("Pause rules"), "suspensions:pause_rules")
        register(Place.SETTINGS, Link(*rules, may.MAY_SET_PAUSES, order=25))
        suspensions = ("suspensions", _("Suspensions"), "suspensions:suspensions")
        register(Place.PEOPLE, Link(*suspensions, may.MAY_SUSPEND, order=20))
        register(Place.PEOPLE, Link("pauses", _("Pauses"), "suspensions:pauses", may.MAY_COUNT_WORK, order=30))
        suspend = ("suspensions", _("Suspend from annotating…"), "suspensions:suspend")
        register(Place.PERSON, Link(*suspend, may.MAY_SUSPEND, order=20))
        kinds["suspensions"] = suspension_pages.JOBS
        own = (SuspendedAnswer, Suspension, Pause, UndoneJudgement, PauseJudgement, PauseRule)
        rows = [deletion.Rows(model) for model in own]
        deletion.parts["suspensions"] = lambda study: deletion.delete_rows(study, rows)
