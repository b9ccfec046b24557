"""The terms of a study: its consent text and the harms that its videos may show. They are changed together."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import ChangedMeanwhile, Refused
from studies import promises
from studies.documents.publishing import publish
from studies.documents.texts import versions, write_version
from studies.harms import HARM_KEYS
from studies.models import Document, DocumentVersion, Study

#: The action of the audit row. Its `before` and `after` have `consent_version` and `categories`.
CHANGED = "study.terms_changed"


@transaction.atomic
def change_terms(
    study: Study,
    *,
    categories: Collection[str] | None = None,
    texts: Mapping[str, str] | None = None,
    actor: User | None = None,
) -> int:
    """Publish the next version of the terms: other harms, another consent text, or both. Return its number.

    People are asked to agree to it before their next pair. If nothing changes, there is no new version. `study` says
    which version this follows. If another version was published since it was read, Refused is raised.

    Args:
        categories: harm keys. None means no change.
        texts: Markdown by language. They replace the text in all languages. None means no change.

    Raises Refused, with the reasons. One reason is that the study runs and the text makes a promise that no setting
    keeps.
    """
    shown = sorted(study.categories) if categories is None else sorted(set(categories))
    if unknown := set(shown) - set(HARM_KEYS):
        raise Refused(_("These are not among the twelve harms: %(keys)s.") % {"keys": ", ".join(sorted(unknown))})
    before = {"consent_version": study.consent_version, "categories": study.categories}
    present = _texts_in_force(study)
    if texts is not None and dict(texts) != present:
        _refuse_new_promises(study, present, texts)
        publish(study, Document.Kind.CONSENT, texts=texts, actor=actor, categories=shown)
    elif shown == sorted(study.categories):
        return study.consent_version
    else:
        _carry_over(study, present, shown, actor)
    study.categories = shown
    study.save(update_fields=["categories"])
    after = {"consent_version": study.consent_version, "categories": shown}
    audit.record(CHANGED, study, actor=actor, study_slug=study.slug, before=before, after=after)
    return study.consent_version


def _refuse_new_promises(study: Study, present: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Raise Refused if the study runs and the texts add a promise that no setting keeps, or do not name controls."""
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)  # so that nobody resumes it meanwhile
    if locked.state != Study.State.RUNNING:
        return
    promises.refuse_unnamed(locked, texts.values())
    unkept_before = promises.unkept(locked, present.values())
    if new := [one for one in promises.unkept(locked, texts.values()) if one not in unkept_before]:
        raise Refused(
            _(
                "The text promises these things, but the settings are not filled in yet: %(what)s. Fill in "
                "the settings first, or pause the study."
            )
            % {"what": promises.in_words(new)}
        )


def _texts_in_force(study: Study) -> dict[str, str]:
    rows = versions(study, Document.Kind.CONSENT).filter(version=study.consent_version)
    return dict(rows.values_list("language", "text"))


def _carry_over(study: Study, texts: Mapping[str, str], categories: Collection[str], actor: User | None) -> None:
    """Make the next version with the words of this one. Raises Refused if this one is no longer in force."""
    version = study.consent_version + 1
    moved = Study.objects.filter(pk=study.pk, consent_version=study.consent_version).update(consent_version=version)
    if not moved:
        raise ChangedMeanwhile(
            _("Somebody else changed the terms at the same time. Read the new terms, then change them again.")
        )
    write_version(study, Document.Kind.CONSENT, version, texts=texts, categories=categories, actor=actor)
    study.consent_version = version


def categories_of(study: Study, version: int) -> list[str]:
    """Return the harms that people were asked about in a version of the terms, in force or earlier."""
    if version >= study.consent_version:
        return list(study.categories)
    terms = DocumentVersion.objects.get(study=study, kind=Document.Kind.CONSENT, version=version)
    return list(terms.categories or ())
