"""What somebody who edits a text needs to know: what is in force, what their words would change, who published what."""

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
    """Somebody's words by language, those that they left empty among them, and the version that they began from."""

    texts: dict[str, str]
    follows: int

    @property
    def given(self) -> dict[str, str]:
        """The texts that have words. A language may be left out: who works in it reads another one."""
        return {language: text for language, text in self.texts.items() if text.strip()}


@dataclass(frozen=True, slots=True)
class Published:
    """One version: when, and by whom; nobody is the system or somebody at the command line."""

    version: int
    at: datetime
    by: str


def draft_in_force(study: Study, kind: str) -> Draft:
    """The texts in force, to begin from."""
    version = present_version(study, kind)
    rows = versions(study, kind).filter(version=version).values_list("language", "text")
    return Draft({code: "" for code, _name in settings.LANGUAGES} | dict(rows), version)


def draft_sent(sent: QueryDict) -> Draft:
    """What a page sent; its line ends as they were before the browser changed them. Raises BadInput."""
    follows = sent.get("follows", "")
    if not (follows.isascii() and follows.isdigit() and len(follows) <= 9):
        raise BadInput(_("The page did not say which version it follows. Open the editor again."))
    texts = {code: sent.get(f"text-{code}", "").replace("\r\n", "\n") for code, _name in settings.LANGUAGES}
    return Draft(texts, int(follows))


def faults_of_draft(kind: str, draft: Draft) -> list[str]:
    """What keeps the draft from being published, in sentences."""
    return faults_of(draft.given, needed_sections(kind))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Change]]:
    """The sections that differ, by language; a language that is new has nothing to compare with, and is shown whole."""
    return {language: compared(before.get(language, ""), text) for language, text in after.items()}


def whole(text: str) -> list[Change]:
    """A text as it stands."""
    return [Change(part.key, part.title, part.level, SAME, part.html) for part in sections(text)]


def compared(before: str, after: str) -> list[Change]:
    """The sections that changed; a language that is new in this version has nothing to compare with."""
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
    """How many people will be asked to read what changed."""
    return Membership.objects.filter(study=study, role=Role.ANNOTATOR).count()


def is_in_force(study: Study, kind: str, draft: Draft) -> bool:
    """Whether these are the words in force already."""
    return draft_in_force(study, kind).given == draft.given
