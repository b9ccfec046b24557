from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from accounts.days import counted_on
        from annotation import own_progress
        from annotation.deletion import delete_seats
        from annotation.exposure import counts_on
        from annotation.pair_answers import section
        from annotation.pair_states import STATES, counts_of_batches
        from annotation.quarantining import end_leases_of_quarantined_pairs
        from annotation.reading import NEEDED_SECTIONS
        from annotation.receivers_membership import release_leases
        from annotation.share_cap import too_few_people
        from catalog.batching import answer_counts
        from catalog.library.filters import more_states
        from catalog.library.pair_sections import pair_sections
        from safety.signals import assets_quarantined
        from studies import deletion
        from studies.documents.publishing import need
        from studies.home import own_lines
        from studies.links import Link, Place, register
        from studies.notices import setting_notices
        from studies.permissions import MAY_ANNOTATE, MAY_CONFIGURE, MAY_COUNT_WORK, MAY_SEE_ANSWERS, MAY_SEE_WELLBEING
        from studies.signals import membership_revoked

        counted_on.append(counts_on)
        need("guideline", NEEDED_SECTIONS)
        own_lines["annotation"] = own_progress.lines
        deletion.parts["annotation"] = delete_seats
        assets_quarantined.connect(
            end_leases_of_quarantined_pairs, dispatch_uid="annotation.end_leases_of_quarantined_pairs"
        )
        membership_revoked.connect(release_leases, dispatch_uid="annotation.release_leases")
        pair_sections["answers"] = section
        setting_notices.append(too_few_people)
        more_states.update(STATES)
        answer_counts["answers"] = counts_of_batches
        register(Place.TRIAL, Link("trial", _("Try the workspace"), "annotation:trial", MAY_CONFIGURE, order=10))
        register(Place.LIBRARY, Link("answers", _("Answers"), "annotation:answers", MAY_SEE_ANSWERS, order=10))
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
