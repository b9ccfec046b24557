from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.deletion import delete_places
        from annotation.quarantining import take_off_desks
        from annotation.reading import NEEDED_SECTIONS
        from annotation.receivers_membership import give_back_leases
        from safety.signals import assets_quarantined
        from studies import deletion
        from studies.documents.publishing import need
        from studies.links import Link, Place, register
        from studies.permissions import MAY_ANNOTATE, MAY_SEE_WELLBEING
        from studies.signals import membership_revoked

        need("guideline", NEEDED_SECTIONS)
        deletion.parts["annotation"] = delete_places
        assets_quarantined.connect(take_off_desks, dispatch_uid="annotation.take_off_desks")
        membership_revoked.connect(give_back_leases, dispatch_uid="annotation.give_back_leases")
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
