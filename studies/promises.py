"""The promises of a study to the people who agree to its terms, and the settings that keep them.

A consent text makes a promise by a link within its own page, such as `[paid](#pay)`. The consent page shows the
setting at that anchor. `state_changes.change_state` refuses to resume a study with a broken promise. While a study
runs, neither a setting nor the text may break a promise.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _

from diptych.refusals import Refused
from studies.documents.texts import versions
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


def unkept(study: Study, texts: Collection[str] | None = None) -> list[Promise]:
    """Return the promises that the study makes but does not keep, in the order of `PROMISES`.

    Args:
        study: with the settings to check. They need not be saved.
        texts: the consent text in each language. None means the texts in force.
    """
    if texts is None:
        in_force = versions(study, Document.Kind.CONSENT).filter(version=study.consent_version)
        texts = list(in_force.values_list("text", flat=True))
    linked = {key for text in texts for key in LINK_IN_PAGE.findall(text)}
    return [one for one in PROMISES if (one.always or one.key in linked) and not one.is_kept(study)]


def in_words(promises: Collection[Promise]) -> str:
    """Return the promises as one list in words."""
    return "; ".join(str(one.words) for one in promises)
