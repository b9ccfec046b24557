"""What a person needs who edits a text: the current version, the changes of a draft, and the earlier versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from diptych.refusals import BadInput
from studies.documents.changes import SAME, Change, changes
from studies.documents.markdown import sections
from studies.documents.publishing import faults_of, needed_sections
from studies.documents.texts import present_version, publications, versions
from studies.models import Membership, Study
from studies.models.studies import Role


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: its texts by language, including empty ones, and the version that it is based on."""

    texts: dict[str, str]
    follows: int

    @property
    def given(self) -> dict[str, str]:
        """The texts that are not empty. If a language has none, its readers get another language."""
        return {language: text for language, text in self.texts.items() if text.strip()}


@dataclass(frozen=True, slots=True)
class Published:
    """One published version. `by` is empty if the system or a command published it."""

    version: int
    at: datetime
    by: str


def draft_in_force(study: Study, kind: str) -> Draft:
    """Return a draft with the current texts."""
    version = present_version(study, kind)
    rows = versions(study, kind).filter(version=version).values_list("language", "text")
    return Draft({code: "" for code, _name in settings.LANGUAGES} | dict(rows), version)


def draft_sent(sent: QueryDict) -> Draft:
    """Return the draft that a page sent, with the line ends that the browser changed restored. Raises BadInput."""
    follows = sent.get("follows", "")
    if not (follows.isascii() and follows.isdigit() and len(follows) <= 9):
        raise BadInput(_("The page did not say which version it follows. Open the editor again."))
    texts = {code: sent.get(f"text-{code}", "").replace("\r\n", "\n") for code, _name in settings.LANGUAGES}
    return Draft(texts, int(follows))


def faults_of_draft(kind: str, draft: Draft) -> list[str]:
    """Return sentences that say why the draft cannot be published; none if it can."""
    return faults_of(draft.given, needed_sections(kind))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Change]]:
    """Return the sections that differ, by language. A new language is returned whole."""
    return {language: compared(before.get(language, ""), text) for language, text in after.items()}


def whole(text: str) -> list[Change]:
    """Return all sections of a text, unchanged."""
    return [Change(part.key, part.title, part.level, SAME, part.html) for part in sections(text)]


def compared(before: str, after: str) -> list[Change]:
    """Return the sections that changed, or the whole text if the language is new in this version."""
    if not before:
        return whole(after)
    return [part for part in changes(sections(before), sections(after)) if part.kind != SAME]


def history(study: Study, kind: str) -> list[Published]:
    """Return every version, newest first."""
    rows = publications(study, kind)
    return [
        Published(row.version, row.published_at, row.published_by.username if row.published_by else "") for row in rows
    ]


def readers(study: Study) -> int:
    """Return how many people will be asked to read the changes."""
    return Membership.objects.filter(study=study, role=Role.ANNOTATOR).count()


def is_in_force(study: Study, kind: str, draft: Draft) -> bool:
    """Return whether the draft has the current texts."""
    return draft_in_force(study, kind).given == draft.given
