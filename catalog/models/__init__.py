"""The catalog's tables, one module a question: who works on what, what is judged, where its bytes are."""

from catalog.models.assets import Asset
from catalog.models.changes import PairsChange
from catalog.models.documents import Document
from catalog.models.imports import Import, ReadFile, Upload
from catalog.models.invitations import Invitation, RoleNotice
from catalog.models.material import Label, Prompt, Video
from catalog.models.officers import Officer
from catalog.models.pairs import Batch, Pair
from catalog.models.provenance import Provenance
from catalog.models.quarantine import Quarantine, Referral, RefusedFile, Report, Reporter
from catalog.models.studies import Membership, Study
from catalog.models.sweeps import Sweep

__all__ = [
    "Asset",
    "Batch",
    "Document",
    "Import",
    "Invitation",
    "Label",
    "Membership",
    "Officer",
    "Pair",
    "PairsChange",
    "Prompt",
    "Provenance",
    "Quarantine",
    "ReadFile",
    "Referral",
    "RefusedFile",
    "Report",
    "Reporter",
    "RoleNotice",
    "Study",
    "Sweep",
    "Upload",
    "Video",
]
