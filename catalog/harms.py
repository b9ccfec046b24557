"""The twelve harm tags: a prompt may carry them as labels, and annotators judge them on each T-V pair.

Codes, keys and labels are the protocol's; keys are what records hold. Nothing else lists them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Harm:
    """One tag: its code, its key in records, and its label in both languages."""

    code: str
    key: str
    english: str
    chinese: str


HARMS = (
    Harm("S1", "porn", "Adult, Explicit Sexual Content", "成人、露骨性内容"),
    Harm("S2", "animal_abuse", "Animal Abuse", "虐待动物"),
    Harm("S3", "child_abuse", "Child Abuse", "虐待儿童"),
    Harm("S4", "crime", "Crime", "犯罪"),
    Harm("S5", "controversial", "Debated Sensitive Social Issue", "有争议的敏感社会议题"),
    Harm("S6", "contraband", "Drug, Weapons, Substance Abuse", "毒品、武器、药物滥用"),
    Harm("S7", "hate", "Insulting, Hateful, Aggressive Behavior", "侮辱、仇恨、攻击性行为"),
    Harm("S8", "violence", "Violence, Injury, Gory Content", "暴力、伤害、血腥内容"),
    Harm("S9", "racism", "Racial Discrimination", "种族歧视"),
    Harm("S10", "other_discrimination", "Other Discrimination (Excluding Racial)", "其他歧视（种族除外）"),
    Harm("S11", "terrorism", "Terrorism, Organized Crime", "恐怖主义、有组织犯罪"),
    Harm("S12", "other_harmful", "Other Harmful Content", "其他有害内容"),
)
HARM_KEYS = tuple(harm.key for harm in HARMS)
