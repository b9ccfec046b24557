"""Publish the next version of a study's text in all languages at once."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import ChangedMeanwhile, Refused
from studies.documents.markdown import sections
from studies.documents.texts import LANGUAGES, VERSION_FIELD, present_version, versions, write_version
from studies.models import Document, Study

#: The most characters of a text. Real texts are far shorter.
LONGEST_TEXT = 200_000
#: Keys of the sections that a text must have, by kind. Apps that open sections add the keys in `ready()`.
_needed: dict[str, tuple[str, ...]] = {}


def need(kind: str, keys: Collection[str]) -> None:
    """Require sections with these keys in every text of this kind."""
    _needed[kind] = tuple(keys)


def needed_sections(kind: str) -> tuple[str, ...]:
    """Return the keys of the sections that every text of this kind must have."""
    return _needed.get(kind, ())


def publish(
    study: Study,
    kind: str,
    *,
    texts: Mapping[str, str],
    actor: User | None,
    needed: Collection[str] | None = None,
    categories: Collection[str] | None = None,
) -> int:
    """Publish these texts as the version in force, and return its number. `study` is updated too.

    `study` says which version the texts are based on. If another version was published since it was read,
    ChangedMeanwhile is raised. A new guideline is also a new version of the protocol (rule 9 of the protocol).

    Args:
        texts: Markdown by language, in at least one of the product's languages.
        needed: keys of sections that each text must have. None means those that the kind needs.
        categories: the harms that people are asked about with a consent text. None means those of the study.

    Raises Refused with all reasons.
    """
    if reasons := faults_of(texts, needed_sections(kind) if needed is None else needed):
        raise Refused("\n".join(reasons))
    field = VERSION_FIELD[Document.Kind(kind)]
    version = present_version(study, kind) + 1
    moved: dict[str, Any] = {field: version}
    if kind == Document.Kind.GUIDELINE:
        moved["protocol_version"] = F("protocol_version") + 1
    with transaction.atomic():
        present = {text.language: text.text for text in versions(study, kind).filter(version=version - 1)}
        if present == dict(texts):
            raise Refused(_("The text is the same as in version %(version)s.") % {"version": version - 1})
        # This update is conditional: of two simultaneous calls, the second waits here and then changes no row.
        if not Study.objects.filter(pk=study.pk, **{field: version - 1}).update(**moved):
            raise ChangedMeanwhile(
                _(
                    "Somebody else published a version after you started. Read it, then publish your text again "
                    "if it still fits."
                )
            )
        harms = study.categories if categories is None else categories
        write_version(study, kind, version, texts=texts, categories=harms, actor=actor)
        audit.record(
            f"{kind}.published",
            study,
            actor=actor,
            study_slug=study.slug,
            before={"version": version - 1},
            after={"version": version, "languages": sorted(texts)},
        )
    study.refresh_from_db(fields=[field, "protocol_version"])
    return version


def faults_of(texts: Mapping[str, str], needed: Collection[str]) -> list[str]:
    """Return the errors that prevent publishing these texts, as sentences. The list is empty if there are none."""
    if not texts:
        return [
            _("There is no text. Write it in at least one of these languages: %(languages)s.")
            % {"languages": ", ".join(LANGUAGES)}
        ]
    return [fault for language, text in texts.items() for fault in _faults_of_one(language, text, needed)]


def _faults_of_one(language: str, text: str, needed: Collection[str]) -> list[str]:
    if language not in LANGUAGES:
        return [_("Diptych does not have the language %(language)s.") % {"language": language}]
    about = {"language": dict(settings.LANGUAGES)[language]}
    if not text.strip():
        return [_("The text in %(language)s is empty.") % about]
    if "\0" in text:
        return [_("The text in %(language)s contains a NUL character. Remove it.") % about]
    if len(text) > LONGEST_TEXT:
        limit = {"longest": LONGEST_TEXT}
        return [_("The text in %(language)s is longer than %(longest)s characters. Shorten it.") % (about | limit)]
    count = Counter(section.key for section in sections(text))
    twice = sorted(key for key, times in count.items() if times > 1)
    missing = [key for key in needed if key not in count]
    faults = []
    if missing:
        keys = {"keys": ", ".join(missing)}
        faults.append(
            _("The text in %(language)s has no sections with these keys: %(keys)s. Add them.") % (about | keys)
        )
    if twice:
        keys = {"keys": ", ".join(twice)}
        faults.append(
            _("The text in %(language)s has several sections with the same key: %(keys)s. Keep one of each.")
            % (about | keys)
        )
    return faults
