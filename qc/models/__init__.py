"""Tables of quality control, one file for each subject."""

from qc.models.findings import Finding, FindingsRun, StudyRules

__all__ = ["Finding", "FindingsRun", "StudyRules"]
