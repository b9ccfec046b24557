"""Which text of a study is in force, and every version of it before; the shipped one where there is none yet."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from diptych.refusals import NotThere
from studies.models import Document, DocumentVersion, Study

LANGUAGES = tuple(code for code, name in settings.LANGUAGES)
#: The column of `Study` that says which version of each kind is in force.
VERSION_FIELD = {Document.Kind.GUIDELINE: "guideline_version", Document.Kind.CONSENT: "consent_version"}
FOLDER = Path(__file__).parent


def present_version(study: Study, kind: str) -> int:
    """The version in force, as the study row in hand says."""
    return int(getattr(study, VERSION_FIELD[Document.Kind(kind)]))


def text_of(study: Study, kind: str, language: str, version: int | None = None) -> Document:
    """The study's guideline or consent text, in the version in force or in an earlier one.

    Where the language has no such text it is one in another language: `.language` says which, and whoever shows it
    says so. A study that has no text of this kind gets the shipped one.

    Raises NotThere for a version that the study never had.
    """
    wanted = present_version(study, kind) if version is None else version
    found = _in_any_language(study, kind, language, wanted)
    if found is None:
        _write_shipped_if_none(study, kind)
        found = _in_any_language(study, kind, language, wanted)  # or somebody else wrote them at this moment
    if found is None:
        raise NotThere(_("This study has no version %(version)s of this text.") % {"version": wanted})
    return found


def _in_any_language(study: Study, kind: str, language: str, version: int) -> Document | None:
    texts = {
        document.language: document
        for document in Document.objects.filter(study=study, kind=kind, version=version, language__in=LANGUAGES)
    }
    return next((texts[code] for code in (language, *LANGUAGES) if code in texts), None)


def versions(study: Study, kind: str) -> QuerySet[Document]:
    """Every version in every language, newest first; the shipped one is written first where there is none."""
    _write_shipped_if_none(study, kind)
    return Document.objects.filter(study=study, kind=kind).order_by("-version", "language")


def publications(study: Study, kind: str) -> QuerySet[DocumentVersion]:
    """Return every version with who published it, newest first. Where there is none, the shipped one is written."""
    _write_shipped_if_none(study, kind)
    rows = DocumentVersion.objects.filter(study=study, kind=kind).select_related("published_by")
    return rows.order_by("-version")


def _write_shipped_if_none(study: Study, kind: str) -> None:
    if not Document.objects.filter(study=study, kind=kind).exists():
        write_shipped(study, kind)


def write_shipped(study: Study, kind: str) -> None:
    """Make the shipped texts the study's version in force. It is harmless when two do it at once.

    From then on they are the study's own: a later release of the product with other words changes nothing for it.
    """
    write_version(
        study,
        kind,
        present_version(study, kind),
        texts=shipped(kind),
        categories=study.categories,
        actor=None,
        ignore_conflicts=True,
    )


@transaction.atomic
def write_version(
    study: Study,
    kind: str,
    version: int,
    *,
    texts: Mapping[str, str],
    categories: Collection[str],
    actor: User | None,
    ignore_conflicts: bool = False,
) -> None:
    """Write a version of a text in all its languages, and who published it.

    Args:
        texts: Markdown by language.
        categories: the harms that people are asked about with a consent text; of no meaning for other texts.
        ignore_conflicts: leave what is there; otherwise it is an IntegrityError.
    """
    harms = list(categories) if kind == Document.Kind.CONSENT else None
    DocumentVersion.objects.bulk_create(
        [DocumentVersion(study=study, kind=kind, version=version, categories=harms, published_by=actor)],
        ignore_conflicts=ignore_conflicts,
    )
    Document.objects.bulk_create(
        [
            Document(study=study, kind=kind, version=version, language=language, text=text)
            for language, text in texts.items()
        ],
        ignore_conflicts=ignore_conflicts,
    )


@cache
def shipped(kind: str) -> dict[str, str]:
    """The texts that come with the product, by language."""
    return {language: (FOLDER / f"{kind}.{language}.md").read_text("utf-8") for language in LANGUAGES}
