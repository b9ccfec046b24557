from django.apps import AppConfig


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        from annotation.signals import answer_revised, answer_submitted
        from qc.receivers import follow_revision, mark_contradiction

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
