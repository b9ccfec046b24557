"""The state of a text for its editor: the version in force, the changes of a draft, and who published what."""

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
from studies.models.memberships import Role


@dataclass(frozen=True, slots=True)
class Draft:
    """The submitted texts by language, including empty ones, and the version that they are based on."""

    texts: dict[str, str]
    follows: int

    @property
    def given(self) -> dict[str, str]:
        """Return the texts that are not empty. Readers of a language without a text see the other language."""
        return {language: text for language, text in self.texts.items() if text.strip()}


@dataclass(frozen=True, slots=True)
class Published:
    """One version: when it was published, and by whom. `by` is empty for the system or a command."""

    version: int
    at: datetime
    by: str


def draft_in_force(study: Study, kind: str) -> Draft:
    """Return a draft with the texts in force."""
    version = present_version(study, kind)
    rows = versions(study, kind).filter(version=version).values_list("language", "text")
    return Draft({code: "" for code, _name in settings.LANGUAGES} | dict(rows), version)


def draft_sent(sent: QueryDict) -> Draft:
    """Return the submitted draft, with line ends as they are stored. Raises BadInput."""
    follows = sent.get("follows", "")
    if not (follows.isascii() and follows.isdigit() and len(follows) <= 9):
        raise BadInput(_("The page did not say which version your text is based on. Open the editor again."))
    texts = {code: sent.get(f"text-{code}", "").replace("\r\n", "\n") for code, _name in settings.LANGUAGES}
    return Draft(texts, int(follows))


def faults_of_draft(kind: str, draft: Draft) -> list[str]:
    """Return the errors that prevent publishing, as sentences."""
    return faults_of(draft.given, needed_sections(kind))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Change]]:
    """Return the changed sections by language. A new language is returned whole, because it has no earlier text."""
    return {language: compared(before.get(language, ""), text) for language, text in after.items()}


def whole(text: str) -> list[Change]:
    """Return all sections of a text, without marks."""
    return [Change(part.key, part.title, part.level, SAME, part.html) for part in sections(text)]


def compared(before: str, after: str) -> list[Change]:
    """Return the changed sections. Without an earlier text, return the whole text."""
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
    """Return the number of people who will be asked to read the changes."""
    return Membership.objects.filter(study=study, role=Role.ANNOTATOR).count()


def is_in_force(study: Study, kind: str, draft: Draft) -> bool:
    """Return whether the draft is the same as the texts in force."""
    return draft_in_force(study, kind).given == draft.given
