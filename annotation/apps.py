from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation import own_progress
        from annotation.quarantining import take_off_desks
        from annotation.reading import NEEDED_SECTIONS
        from annotation.receivers_membership import give_back_leases
        from safety.signals import assets_quarantined
        from studies.documents.publishing import need
        from studies.home import own_lines
        from studies.links import Link, Place, register
        from studies.permissions import MAY_ANNOTATE, MAY_COUNT_WORK, MAY_SEE_WELLBEING
        from studies.signals import membership_revoked

        need("guideline", NEEDED_SECTIONS)
        own_lines["annotation"] = own_progress.lines
        assets_quarantined.connect(take_off_desks, dispatch_uid="annotation.take_off_desks")
        membership_revoked.connect(give_back_leases, dispatch_uid="annotation.give_back_leases")
        for place, page in ((Place.PEOPLE, "people_progress"), (Place.PERSON, "person_progress")):
            name = _("Progress and active time")
            register(place, Link("progress", name, f"annotation:{page}", MAY_COUNT_WORK, order=10))
        register(
            Place.HOME,
            Link("wellbeing", _("Wellbeing"), "annotation:wellbeing", MAY_SEE_WELLBEING, order=30),
            Link(
                *("workspace", _("Compare videos"), "annotation:workspace", MAY_ANNOTATE),
                order=40,
                first_page=True,
                look="primary",
            ),
        )
