"""Models of safety officers, reports and quarantines."""

from safety.models.officers import Officer
from safety.models.quarantine import Quarantine, QuarantineAct, Referral, RefusedFile, Report, Reporter
from safety.models.releases import ReporterRelease

__all__ = ["Officer", "Quarantine", "QuarantineAct", "Referral", "RefusedFile", "Report", "Reporter", "ReporterRelease"]
