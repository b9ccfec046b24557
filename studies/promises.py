"""The promises of a study to the people who agree to its terms, and the settings that keep them.

A consent text makes a promise by a link within its own page, such as `[paid](#pay)`. The consent page shows the
setting at that anchor. `state_changes.change_state` refuses to resume a study with a broken promise. While a study
runs, neither a setting nor the text may break a promise. Controls are the reverse: a text must name them by such a
link before the setting may be on.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _

from diptych.refusals import Refused
from studies.documents.texts import LANGUAGES, text_of, versions
from studies.models import Document, Study

LINK_IN_PAGE = re.compile(r"\]\(\s*<?#([a-z][a-z0-9_-]*)>?\s*\)")


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: its anchor on the consent page, its words, and the field of `Study` that keeps it.

    `always`: the product makes this promise to everybody, whatever the text says.
    """

    key: str
    words: Words
    setting: str
    always: bool = False

    def is_kept(self, study: Study) -> bool:
        value = getattr(study, self.setting)
        return bool(value.strip() if isinstance(value, str) else value)


class PromisesUnkept(Refused):
    """The study breaks, or would break, these `promises` to the people who agree to its terms."""

    code = "promises_unkept"

    def __init__(self, sentence: str, promises: Collection[Promise]) -> None:
        super().__init__(sentence)
        self.promises = promises


PROMISES = (
    # The consent page and the annotation page offer “Talk to someone” in every study.
    Promise("contact", _("a contact for annotators who need help"), "help_contact", always=True),
    Promise("pay", _("the pay, including pay for breaks"), "pay_basis"),
    Promise("limit", _("a daily limit of possibly harmful video"), "daily_dose_s"),
)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Something that the consent text must name while `setting` is on, by a link to the anchor `key`."""

    key: str
    setting: str
    sentence: Words


DISCLOSURES = (
    Disclosure(
        "controls",
        "control_rate",
        _(
            "The consent text does not name control pairs. Add a link to #controls in every language, such as"
            " [controls](#controls), or set the share of control pairs to none."
        ),
    ),
)


class NotNamed(Refused):
    """The consent text does not name something that the study does."""

    code = "not_named"


def refuse_unnamed(study: Study, texts: Collection[str] | None = None) -> None:
    """Raise NotNamed if a consent text does not name what the study does (`DISCLOSURES`).

    Args:
        study: with the settings to check. They need not be saved.
        texts: the consent text in each language. None means the texts in force.
    """
    due = [one for one in DISCLOSURES if getattr(study, one.setting)]
    if not due:
        return
    if texts is None:
        text_of(study, Document.Kind.CONSENT, LANGUAGES[0])  # writes the shipped texts if there are none
        texts = _texts_in_force(study)
    for one in due:
        if any(one.key not in LINK_IN_PAGE.findall(text) for text in texts):
            raise NotNamed(str(one.sentence))


def _texts_in_force(study: Study) -> list[str]:
    in_force = versions(study, Document.Kind.CONSENT).filter(version=study.consent_version)
    return list(in_force.values_list("text", flat=True))


def unkept(study: Study, texts: Collection[str] | None = None) -> list[Promise]:
    """Return the promises that the study makes but does not keep, in the order of `PROMISES`.

    Args:
        study: with the settings to check. They need not be saved.
        texts: the consent text in each language. None means the texts in force.
    """
    if texts is None:
        texts = _texts_in_force(study)
    linked = {key for text in texts for key in LINK_IN_PAGE.findall(text)}
    return [one for one in PROMISES if (one.always or one.key in linked) and not one.is_kept(study)]


def in_words(promises: Collection[Promise]) -> str:
    """Return the promises as one list in words."""
    return "; ".join(str(one.words) for one in promises)
