from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.quarantining import take_off_desks
        from catalog.signals import assets_quarantined

        assets_quarantined.connect(take_off_desks, dispatch_uid="annotation.take_off_desks")
