from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from accounts.days import counted_on
        from annotation import own_progress
        from annotation.deletion import delete_seats
        from annotation.exposure import counts_on
        from annotation.quarantining import end_leases_of_quarantined_pairs
        from annotation.reading import NEEDED_SECTIONS
        from annotation.receivers_membership import release_leases
        from annotation.share_cap import too_few_people
        from safety.signals import assets_quarantined
        from studies import deletion
        from studies.documents.publishing import need
        from studies.home import own_lines
        from studies.links import Link, Place, register
        from studies.notices import setting_notices
        from studies.permissions import MAY_ANNOTATE
        from studies.signals import membership_revoked

        counted_on.append(counts_on)
        need("guideline", NEEDED_SECTIONS)
        own_lines["annotation"] = own_progress.lines
        deletion.parts["annotation"] = delete_seats
        assets_quarantined.connect(
            end_leases_of_quarantined_pairs, dispatch_uid="annotation.end_leases_of_quarantined_pairs"
        )
        membership_revoked.connect(release_leases, dispatch_uid="annotation.release_leases")
        setting_notices.append(too_few_people)
        register(
            Place.HOME,
            Link(
                *("workspace", _("Compare videos"), "annotation:workspace", MAY_ANNOTATE),
                order=40,
                first_page=True,
                look="primary",
                while_open=True,
            ),
        )
