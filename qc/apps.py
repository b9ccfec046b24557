from django.apps import AppConfig


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        from annotation.signals import answer_submitted
        from qc.receivers import mark_contradiction

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
