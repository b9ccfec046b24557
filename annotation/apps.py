from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.quarantining import take_off_desks
        from annotation.reading import NEEDED_SECTIONS
        from annotation.receivers_membership import give_back_leases
        from catalog import documents
        from catalog.signals import assets_quarantined, membership_revoked

        documents.need("guideline", NEEDED_SECTIONS)
        assets_quarantined.connect(take_off_desks, dispatch_uid="annotation.take_off_desks")
        membership_revoked.connect(give_back_leases, dispatch_uid="annotation.give_back_leases")
