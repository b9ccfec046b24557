"""Which licence a release may have: what well-known licences allow, and whether one is wider than another.

A release must not allow what the licences of its prompts and videos forbid. The table decides for licences that it
knows. About any other one a person decides, and writes a reason that the release keeps.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diptych.refusals import BadInput

LONGEST_REASON = 2000
#: The most licences of material that one sentence names.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence allows and asks for.

    credit: whether users must name the authors. same: if changed material must be shared under the same licence, the
    licences that count as the same. Empty: any licence.
    """

    spdx: str
    sharing: bool = True
    commercial: bool = True
    changes: bool = True
    credit: bool = True
    same: frozenset[str] = frozenset()


def _creative_commons() -> list[Licence]:
    """Return the six kinds of Creative Commons licences in all versions. Share-alike ones count with later versions."""
    versions = ("1.0", "2.0", "2.5", "3.0", "4.0")
    found = []
    for kind in ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND"):
        for place, version in enumerate(versions):
            later = versions[:1] if version == "1.0" else versions[place:]
            found.append(
                Licence(
                    f"CC-{kind}-{version}",
                    commercial="NC" not in kind,
                    changes="ND" not in kind,
                    same=frozenset(f"CC-{kind}-{one}" for one in later) if kind.endswith("SA") else frozenset(),
                )
            )
    return found


#: What a release is called that nobody outside may have.
INTERNAL = "LicenseRef-Internal"
_KNOWN = [
    *(Licence(name, credit=False) for name in ("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0")),
    *_creative_commons(),
    *(Licence(name) for name in ("ODC-By-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0")),
    *(Licence(name) for name in ("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause")),
    *(Licence(name, same=frozenset({name})) for name in ("ODbL-1.0", "CDLA-Sharing-1.0")),
    Licence(INTERNAL, sharing=False, commercial=False, changes=False),
]


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


#: The known licences by name, in lower case and with hyphens.
KNOWN = {_key(one.spdx): one for one in _KNOWN}


def known(name: str) -> Licence | None:
    """Return the licence with this SPDX name, or None. Case does not matter, and spaces count as hyphens."""
    return KNOWN.get(_key(name))


class Wider(StrEnum):
    """What a licence allows, or does not ask for, although another one forbids it, or asks for it."""

    SHARING = "sharing"
    COMMERCIAL = "commercial"
    CHANGES = "changes"
    CREDIT = "credit"
    SAME = "same"


WIDER_WORDS: dict[Wider, Promise] = {
    Wider.SHARING: gettext_lazy("it allows sharing"),
    Wider.COMMERCIAL: gettext_lazy("it allows commercial use"),
    Wider.CHANGES: gettext_lazy("it allows changes"),
    Wider.CREDIT: gettext_lazy("it does not ask for credit"),
    Wider.SAME: gettext_lazy("the material must stay under its own licence"),
}


def wider(chosen: Licence, material: Licence) -> list[Wider]:
    """Return in what a chosen licence, which allows sharing, is wider than that of the material. Empty: in nothing."""
    found = [
        (Wider.SHARING, not material.sharing),
        (Wider.COMMERCIAL, chosen.commercial and not material.commercial),
        (Wider.CHANGES, chosen.changes and not material.changes),
        (Wider.CREDIT, material.credit and not chosen.credit),
        (Wider.SAME, bool(material.same) and chosen.spdx not in material.same),
    ]
    return [what for what, is_wider in found if is_wider]


@dataclass(frozen=True, slots=True)
class Material:
    """Prompts or videos of a release that have the same licence. `names` are some of their sources or generators."""

    kind: str
    licence: str
    count: int
    names: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as releases keep it: with the SPDX name if the licence is known, and with what it allows."""
        of = known(self.licence)
        allows = {name: getattr(of, name) for name in ("sharing", "commercial", "changes", "credit")} if of else None
        return {
            "kind": self.kind,
            "licence": of.spdx if of else self.licence,
            "count": self.count,
            "names": list(self.names),
            "allows": allows,
            "same_licence": bool(of.same) if of else None,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the table says about a chosen licence. Both lists are empty if it may be used without a reason."""

    too_wide: list[tuple[Material, list[Wider]]]
    unknown: list[Material]
    chosen_unknown: bool

    @property
    def needs_reason(self) -> bool:
        """Return whether a person must say why the licence may be used."""
        return self.chosen_unknown or bool(self.unknown)


def judge(chosen: str, material: Iterable[Material]) -> Judgement:
    """Return whether the chosen licence allows more than the licences of the material."""
    licence, too_wide, unknown = known(chosen), [], []
    if licence and not licence.sharing:  # nobody outside gets the release, so nothing forbids it
        return Judgement([], [], False)
    for one in material:
        of = known(one.licence)
        if of is None:
            unknown.append(one)
        elif licence and (what := wider(licence, of)):
            too_wide.append((one, what))
    return Judgement(too_wide, unknown, licence is None)


def require(chosen: str, reason: str, material: Iterable[Material]) -> None:
    """Raise BadInput if the chosen licence is too wide, or if a reason is needed and there is none.

    The form, the API and the command share this check.
    """
    if len(reason) > LONGEST_REASON:
        raise BadInput(_("Shorten the reason to %(n)s characters.") % {"n": LONGEST_REASON}, field="licence_reason")
    found = judge(chosen, material)
    if found.too_wide:
        one, what = found.too_wide[0]
        said = {"licence": chosen, "material": of_material(one), "what": ", ".join(str(WIDER_WORDS[w]) for w in what)}
        raise BadInput(
            _("The licence %(licence)s is wider than that of %(material)s: %(what)s. Choose a narrower one.") % said,
            field="licence",
        )
    if found.needs_reason and not reason:
        raise BadInput(sentence_of_unknown(chosen, found), field="licence_reason")


def sentence_of_unknown(chosen: str, found: Judgement) -> str:
    """Return why a person must decide."""
    if found.chosen_unknown:
        return _("%(licence)s is not in the table of licences. Say why the release may have it.") % {"licence": chosen}
    named = "; ".join(of_material(one) for one in found.unknown[:MOST_NAMED])
    return _("The table does not know the licence of %(material)s. Say why the release may have its own.") % {
        "material": named
    }


def of_material(one: Material) -> str:
    """Return the material in words: its kind, its sources or generators, and its licence."""
    kind = _("prompts") if one.kind == "source" else _("videos")
    names = f" ({', '.join(one.names)})" if any(one.names) else ""
    licence = one.licence or _("no licence recorded")
    return f"{kind}{names}, {licence}"
