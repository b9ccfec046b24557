"""Consent to a study: people give it before their first pair, for each harm separately, and can withdraw it.

People are asked again when the terms change. The full text of what they agreed to is in `accounts.Consent`. The seat
has what serving needs: the agreed version, and the harms that were not agreed to. Only the person and the wellbeing
contact may know which harms were left out, so audit rows do not name them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import audit
from accounts.models import Consent, User
from annotation import seats, serving
from annotation.models import Assignment, Seat
from annotation.seats import look_back_soon
from diptych.durations import in_words
from diptych.refusals import ChangedMeanwhile, NotThere
from studies.documents.texts import text_of
from studies.durations import percent
from studies.harms import HARM_KEYS, Harm, harms_of
from studies.models import Document, Study
from studies.terms import categories_of


def terms_changed() -> str:
    return _("The terms changed while you were reading them. Nothing was saved. Read the new terms.")


def document_of(study: Study) -> str:
    """Return the name under which consents to this study are stored."""
    return f"study:{study.slug}"


def in_force(person: User, study: Study) -> bool:
    """Return whether the person has agreed to the study's current terms."""
    return Seat.objects.filter(study=study, person=person, consented_version__gte=study.consent_version).exists()


def first_step(person: User, study: Study) -> str | None:
    """Return the address of the consent page if the person has to agree before they get pairs, or None."""
    return None if in_force(person, study) else reverse("consent:page", args=[study.slug])


def latest(person: User, study: Study) -> Consent | None:
    """Return the person's last consent in this study, whether or not it was withdrawn, or None."""
    return Consent.objects.filter(user=person, document=document_of(study)).order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Named:
    """A fact that the consent page states. The text may link to it by `key` (`studies.promises`)."""

    key: str
    label: str
    value: str


def named(study: Study) -> list[Named]:
    """Return the study's limits, breaks, pay and controls in the active language.

    Missing ones are stated as missing.
    """
    breaks = study.break_after_s and study.break_s
    after = {"length": in_words(study.break_s), "work": in_words(study.break_after_s)}
    return [
        Named(
            "limit",
            _("Possibly harmful video per day"),
            _("%(limit)s at most") % {"limit": in_words(study.daily_dose_s)} if study.daily_dose_s else _("no limit"),
        ),
        Named(
            "breaks", _("Breaks"), _("%(length)s after %(work)s of active work") % after if breaks else _("none set")
        ),
        Named("pay", _("Pay, also for breaks"), study.pay_basis or _("not stated yet: ask before you agree")),
        Named(
            "controls",
            _("Control pairs (paid like all others)"),
            _("at most %(share)s of your pairs") % {"share": percent(study.control_rate)}
            if study.control_rate
            else _("none"),
        ),
    ]


def consent_text(study: Study, document: Document, language: str, agreed: Collection[str]) -> str:
    """Return the text of the consent page as Markdown, as the person saw it.

    It has the document, the stated facts, and each harm with its checkbox. The document may be in another language.
    """
    with override(language):
        contact = Named("contact", _("Talk to someone"), study.help_contact or _("not named yet"))
        facts = [f"- {fact.label}: {fact.value}" for fact in (*named(study), contact)]
        boxes = [
            f"- [{'x' if harm.key in agreed else ' '}] {harm.label}: {harm.covers}"  # Markdown's format of task lists
            for harm in harms_of(study.categories)
        ]
        lists = {_("Limits, breaks and pay"): facts, _("Content I agree to see"): boxes}
        parts = [part for title, lines in lists.items() for part in (f"**{title}**", "\n".join(lines))]
        return "\n\n".join([document.text.strip(), *parts])


@transaction.atomic
def agree(person: User, study: Study, *, categories: Collection[str], text: str, language: str = "en") -> Seat:
    """Record that the person agreed to the study's consent text and to see these harms. Return their seat.

    Other harms are never served to them. A new consent replaces the earlier one, and open pairs that it does not cover
    are released.

    Args:
        study: with the version and the categories that the person saw.
        categories: harm keys out of `study.categories`. If it is empty, the person gets harmless pairs only.
        text: the text that the person saw, in `language`.

    Raises:
        ValueError: if the study does not show one of the categories.
        ChangedMeanwhile: if newer terms are in force.
    """
    if unknown := set(categories) - set(study.categories):
        raise ValueError(f"The study does not show {', '.join(sorted(unknown))}.")
    seat = seats.locked_seat(person, study)
    if Study.objects.filter(pk=study.pk, consent_version__gt=study.consent_version).exists():
        raise ChangedMeanwhile(terms_changed())
    if _is_same_consent(person, study, seat, categories, text):
        return seat
    _end(person, study)
    consent = Consent.objects.create(
        user=person,
        document=document_of(study),
        version=study.consent_version,
        text=text,
        categories=sorted(categories),
    )
    seat.consented_version = study.consent_version
    # Every harm that was not agreed to, including those that the study does not announce.
    seat.excluded = [key for key in HARM_KEYS if key not in categories]
    seat.save(update_fields=["consented_version", "excluded"])
    _release_leases(person, study, excluded=seat.excluded)
    look_back_soon(seat)
    after = {"version": consent.version, "language": language}
    audit.record("consent.given", consent, actor=person, study_slug=study.slug, after=after)
    return seat


def _is_same_consent(person: User, study: Study, seat: Seat, categories: Collection[str], text: str) -> bool:
    """Return whether the person has already agreed to the same, for example by sending the form twice."""
    last = latest(person, study)
    return (
        last is not None
        and last.withdrawn_at is None
        and last.version == study.consent_version == seat.consented_version
        and last.categories == sorted(categories)
        and last.text == text
    )


@transaction.atomic
def withdraw(person: User, study: Study) -> None:
    """End the person's consent: release their open pairs and serve them nothing until they agree again.

    Their answers and drafts are kept. Repeating it is harmless.
    """
    seat = seats.locked_seat(person, study)
    if not _end(person, study) and not seat.consented_version:
        return
    seat.consented_version = 0
    seat.save(update_fields=["consented_version"])
    _release_leases(person, study)
    audit.record("consent.withdrawn", seat, actor=person, study_slug=study.slug)


def _end(person: User, study: Study) -> int:
    live = Consent.objects.filter(user=person, document=document_of(study), withdrawn_at=None)
    return live.update(withdrawn_at=Now())


def _release_leases(person: User, study: Study, *, excluded: Collection[str] | None = None) -> None:
    """Release the person's live leases. With `excluded`, only those of pairs that may show one of these harms.

    The leases are released in the order of their pairs, so that two transactions never wait for each other.
    """
    leased = Assignment.objects.filter(study=study, person=person, state=Assignment.State.LEASED)
    if excluded is not None:
        leased = leased.filter(pair__may_show__overlap=list(excluded))
    for assignment in leased.select_related("study").order_by("pair_id"):
        serving.release(assignment, person)


@dataclass(frozen=True, slots=True)
class Box:
    """One harm on the consent page, with the state of its checkbox and of the person's last consent."""

    harm: Harm
    ticked: bool
    is_new: bool
    agreed_before: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """A person's consent to a study's terms.

    `state` is `first`, `given`, `changed` (newer terms are in force) or `withdrawn`. `last` is the last consent.
    `boxes` are the current checkboxes. `gone` are the harms that `last` asked about but the study no longer shows.
    """

    state: str
    last: Consent | None
    boxes: list[Box]
    gone: list[Harm]

    @property
    def new(self) -> list[Harm]:
        return [box.harm for box in self.boxes if box.is_new]


def agreement(person: User, study: Study) -> Agreement:
    """Return the state of the person's consent to the study.

    Boxes are ticked only while the consent is in force. Otherwise the person has to tick each box again.
    """
    last = latest(person, study)
    if last is None:
        return Agreement("first", None, [Box(harm, False, False, False) for harm in harms_of(study.categories)], [])
    state = _state(person, study)
    asked = categories_of(study, last.version)
    boxes = [
        Box(
            harm,
            ticked=state == "given" and harm.key in last.categories,
            is_new=harm.key not in asked,
            agreed_before=harm.key in last.categories,
        )
        for harm in harms_of(study.categories)
    ]
    return Agreement(state, last, boxes, [harm for harm in harms_of(asked) if harm.key not in study.categories])


def _state(person: User, study: Study) -> str:
    consented = Seat.objects.filter(study=study, person=person).values_list("consented_version", flat=True).first()
    if not consented:
        return "withdrawn"
    return "given" if consented >= study.consent_version else "changed"


def earlier_text(study: Study, consent: Consent, language: str) -> Document | None:
    """Return the text of an earlier consent, in this language if there is one. Return None if it is not stored."""
    try:
        return text_of(study, Document.Kind.CONSENT, language, consent.version)
    except NotThere:
        return None
