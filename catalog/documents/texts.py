"""Which text of a study is in force, and every version of it before; the shipped one where there is none yet."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import Document, Study

LANGUAGES = tuple(code for code, name in settings.LANGUAGES)
#: The column of `Study` that says which version of each kind is in force.
VERSION_FIELD = {Document.Kind.GUIDELINE: "guideline_version", Document.Kind.CONSENT: "consent_version"}
FOLDER = Path(__file__).parent


class NoSuchText(LookupError):
    """The study has no such version; `str()` is a sentence for a person."""


def present_version(study: Study, kind: str) -> int:
    """The version in force, as the study row in hand says."""
    return int(getattr(study, VERSION_FIELD[Document.Kind(kind)]))


def text_of(study: Study, kind: str, language: str, version: int | None = None) -> Document:
    """The study's guideline or consent text, in the version in force or in an earlier one.

    Where the language has no such text it is one in another language: `.language` says which, and whoever shows it
    says so. A study that has no text of this kind gets the shipped one.

    Raises NoSuchText for a version that the study never had.
    """
    wanted = present_version(study, kind) if version is None else version
    found = _in_any_language(study, kind, language, wanted)
    if found is None:
        if not Document.objects.filter(study=study, kind=kind).exists():
            write_shipped(study, kind)
        found = _in_any_language(study, kind, language, wanted)  # or somebody else wrote them at this moment
    if found is None:
        raise NoSuchText(_("This study has no version %(version)s of this text.") % {"version": wanted})
    return found


def _in_any_language(study: Study, kind: str, language: str, version: int) -> Document | None:
    texts = {
        document.language: document
        for document in Document.objects.filter(study=study, kind=kind, version=version, language__in=LANGUAGES)
    }
    return next((texts[code] for code in (language, *LANGUAGES) if code in texts), None)


def versions(study: Study, kind: str) -> QuerySet[Document]:
    """Every version in every language, newest first; the shipped one is written first where there is none."""
    if not Document.objects.filter(study=study, kind=kind).exists():
        write_shipped(study, kind)
    return Document.objects.filter(study=study, kind=kind).order_by("-version", "language")


def write_shipped(study: Study, kind: str) -> None:
    """Makes the shipped texts the study's version in force: one statement, and harmless when two do it at once.

    From then on they are the study's own: a later release of the product with other words changes nothing for it.
    """
    version = present_version(study, kind)
    Document.objects.bulk_create(
        [
            Document(study=study, kind=kind, version=version, language=language, text=text)
            for language, text in shipped(kind).items()
        ],
        ignore_conflicts=True,
    )


@cache
def shipped(kind: str) -> dict[str, str]:
    """The texts that come with the product, by language."""
    return {language: (FOLDER / f"{kind}.{language}.md").read_text("utf-8") for language in LANGUAGES}
