"""Models of studies, people, texts and invitations."""

from studies.models.changes import SettingChange, StateChange
from studies.models.documents import Document, DocumentVersion
from studies.models.invitations import Invitation, RoleNotice
from studies.models.memberships import Membership
from studies.models.studies import Study

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
