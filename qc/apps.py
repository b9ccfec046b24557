from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        from annotation.my_work import more_parts
        from annotation.signals import answer_revised, answer_submitted
        from qc.receivers import follow_revision, mark_contradiction
        from qc.replies import feedback
        from studies.links import Link, Place, register
        from studies.permissions import MAY_CONFIRM, MAY_SEE_PROGRESS

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
        dashboard = ("qc:dashboard", MAY_SEE_PROGRESS)
        register(Place.TABS, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.HOME, Link("progress", _("See progress"), *dashboard, order=20, first_page=True))
        register(Place.OVERVIEW, Link("progress", _("Progress"), *dashboard, order=10))
        more_parts.append(feedback)
        reviews = ("qc:reviews", MAY_CONFIRM)
        register(Place.TABS, Link("reviews", _("Reviews"), *reviews, order=12))
        register(Place.HOME, Link("reviews", _("Review answers"), *reviews, order=22))
