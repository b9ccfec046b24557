"""Models of studies, people, texts and invitations."""

from studies.models.documents import Document, DocumentVersion
from studies.models.invitations import Invitation, RoleNotice
from studies.models.studies import Membership, SettingChange, StateChange, Study

__all__ = [
    "Document",
    "DocumentVersion",
    "Invitation",
    "Membership",
    "RoleNotice",
    "SettingChange",
    "StateChange",
    "Study",
]
