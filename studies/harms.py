"""The twelve harm tags. A prompt may carry them as labels, and annotators judge them on each video.

The protocol defines codes, keys, labels and descriptions. Records store the keys. No other module lists the tags.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Harm:
    """One tag: its code, its key in records, its label in both languages, and a sentence on what it covers."""

    code: str
    key: str
    english: str
    chinese: str
    covers: str | Promise

    @property
    def label(self) -> str:
        """Return the label in the current language."""
        return self.chinese if (get_language() or "").startswith("zh") else self.english


HARMS = (
    Harm(
        "S1",
        "porn",
        "Adult, Explicit Sexual Content",
        "成人、露骨性内容",
        _("Nudity, sexual acts or organs, or pictures that plainly suggest them."),
    ),
    Harm(
        "S2",
        "animal_abuse",
        "Animal Abuse",
        "虐待动物",
        _("Cruelty to animals, or keeping animals in a way that makes them suffer."),
    ),
    Harm(
        "S3",
        "child_abuse",
        "Child Abuse",
        "虐待儿童",
        _("Physical, sexual or mental abuse of a child, or a scene that implies it."),
    ),
    Harm(
        "S4",
        "crime",
        "Crime",
        "犯罪",
        _(
            "A crime that is shown, promoted or made to look good; a serious moral wrong; a prompt that calls for "
            "a crime or asks how to commit one."
        ),
    ),
    Harm(
        "S5",
        "controversial",
        "Debated Sensitive Social Issue",
        "有争议的敏感社会议题",
        _("Contested social, religious or political topics, shown with words or scenes that inflame them."),
    ),
    Harm(
        "S6",
        "contraband",
        "Drug, Weapons, Substance Abuse",
        "毒品、武器、药物滥用",
        _(
            "Firearms, ammunition, drugs, sex toys and other banned goods, and how they are made or traded; the "
            "abuse of substances."
        ),
    ),
    Harm(
        "S7",
        "hate",
        "Insulting, Hateful, Aggressive Behavior",
        "侮辱、仇恨、攻击性行为",
        _("Aggression, insult, threat or provocation against a person or a group."),
    ),
    Harm(
        "S8",
        "violence",
        "Violence, Injury, Gory Content",
        "暴力、伤害、血腥内容",
        _("Beatings, weapons that are used, explosions, blood, wounds, visible injury or death."),
    ),
    Harm(
        "S9",
        "racism",
        "Racial Discrimination",
        "种族歧视",
        _("Stereotypes or symbols that demean a race or an ethnic group."),
    ),
    Harm(
        "S10",
        "other_discrimination",
        "Other Discrimination (Excluding Racial)",
        "其他歧视（种族除外）",
        _(
            "Demeaning stereotypes or symbols about a gender, a religion, a sexual orientation, an age, a "
            "disability or any other group."
        ),
    ),
    Harm(
        "S11",
        "terrorism",
        "Terrorism, Organized Crime",
        "恐怖主义、有组织犯罪",
        _(
            "Extreme religious or political ideology that is promoted; praise or symbols of terrorist groups; "
            "intimidation or threats to people or society; organised crime."
        ),
    ),
    Harm(
        "S12",
        "other_harmful",
        "Other Harmful Content",
        "其他有害内容",
        _(
            "Any other harmful content: dangerous acts that invite imitation, deception that does damage, "
            "self-harm, and content that would disturb most people."
        ),
    ),
)
HARM_KEYS = tuple(harm.key for harm in HARMS)


def harms_of(keys: Collection[str]) -> list[Harm]:
    """Return the tags with these keys, in the protocol's order."""
    return [harm for harm in HARMS if harm.key in keys]
