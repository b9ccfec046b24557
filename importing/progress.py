"""The progress of an import: that of its source, and what happens in the transaction of the rows."""

import jobs.progress
import sources.progress
from importing.report import ImportReport
from studies.models import Study


class Progress(sources.progress.Progress):
    """The progress of an import. If `begin` or `advance` raises, the import ends and nothing is written."""

    def import_number(self, study: Study) -> int | None:
        """Return the number that marks what the import adds to the study, or None. Called in the rows' transaction."""
        return None

    def written(self, report: ImportReport) -> None:
        """Record the outcome. It is called last in the transaction of the rows, so both are committed or neither is."""


class ShownProgress(Progress):
    """Show the stages with another progress, such as a bar on a terminal, and remember nothing."""

    def __init__(self, shown: jobs.progress.Progress) -> None:
        self.begin, self.advance, self.end = shown.begin, shown.advance, shown.end  # type: ignore[method-assign]
