"""People of a study: accounts, memberships and API tokens, made together for many people at once."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from knox.settings import CONSTANTS

from accounts import audit
from accounts.models import AccessToken, AuditEvent, User
from accounts.people import Password, create_person, new_passwords
from accounts.tokens import issue_token
from catalog.models import Membership, Study
from catalog.models.studies import Role
from diptych.database import locks

#: What a new person's token may be used for, by role.
TOKEN_SCOPES: dict[str, tuple[str, ...]] = {
    Role.ANNOTATOR: ("read", "annotate"),
    Role.REVIEWER: ("read", "review"),
    Role.RESEARCHER: ("read", "export"),
    Role.ADMIN: ("read", "export", "manage"),
    Role.WELLBEING_CONTACT: ("read",),
}
MOST_PEOPLE = 10_000
#: The audit row of people who were added for one form; its `after` holds `once`.
NUMBERED = "people.numbered"


class PeopleTrouble(Exception):
    """Nobody was added; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody to add."""

    username: str
    role: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """Somebody who was added, with the secrets that are shown this once."""

    username: str
    password: str | None
    token: str | None
    role: str
    study: str
    expires: datetime | None
    existing: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"expires": self.expires and self.expires.isoformat()}


def add_numbered(
    study: Study,
    *,
    role: str,
    count: int,
    prefix: str = "",
    once: uuid.UUID | None = None,
    actor: User | None = None,
    progress: Callable[[], object] = lambda: None,
) -> list[Added]:
    """Adds `count` new people, `<prefix>-1` and on, after the highest number in use.

    `once` names a form that somebody filled in: sent again, it adds nobody. Raises PeopleTrouble.
    """
    _check_role(role)
    if not 1 <= count <= MOST_PEOPLE:
        raise PeopleTrouble(f"The count is {count}; it must be 1 to {MOST_PEOPLE}.")
    prefix = prefix or role.replace("_", "-")
    passwords = list(new_passwords(count, progress))
    with transaction.atomic():
        # One numbering at a time; what else makes a person with such a name meets the unique username.
        locks.lock(locks.Key.NUMBER_PEOPLE)
        if once is not None:
            _only_once(study, once, {"role": role, "count": count}, actor)
        first = _highest_number(prefix) + 1
        wanted = [Wanted(f"{prefix}-{number}", role) for number in range(first, first + count)]
        return _add(study, wanted, iter(passwords), actor=actor, token_for_existing=False)


def _only_once(study: Study, once: uuid.UUID, about: dict[str, Any], actor: User | None) -> None:
    done = AuditEvent.objects.filter(
        subject=Study._meta.db_table, subject_id=str(study.pk), action=NUMBERED, after__once=str(once)
    )
    if done.exists():
        raise PeopleTrouble(
            _("This form was sent before, and its people were added then. Their passwords were shown that once.")
        )
    audit.record(NUMBERED, study, actor=actor, study_slug=study.slug, after=about | {"once": str(once)})


def add_named(
    study: Study,
    wanted: Sequence[Wanted],
    *,
    token_for_existing: bool = False,
    actor: User | None = None,
    progress: Callable[[], object] = lambda: None,
) -> list[Added]:
    """Adds the people wanted. Who exists becomes a member, and keeps password and tokens.

    Raises PeopleTrouble, and then nobody was added.
    """
    for one in wanted:
        _check_role(one.role)
    names = {one.username for one in wanted}
    missing = len(names) - User.objects.filter(username__in=names).count()
    passwords = list(new_passwords(missing, progress))
    with transaction.atomic():
        return _add(study, wanted, iter(passwords), actor=actor, token_for_existing=token_for_existing)


def _add(
    study: Study, wanted: Sequence[Wanted], passwords: Any, *, actor: User | None, token_for_existing: bool
) -> list[Added]:
    people = {person.username: person for person in User.objects.filter(username__in={one.username for one in wanted})}
    added = []
    for one in wanted:
        existing = one.username in people
        password: Password | None = None
        if not existing:
            password = next(passwords, None)
            if password is None:
                raise PeopleTrouble(
                    _("People were removed while others were being added; nobody was added. Try again.")
                )
            people[one.username] = _create(one, password, actor)
        person = people[one.username]
        join(study, person, one.role, actor=actor)
        token, expires = None, None
        if not existing or token_for_existing:
            token, expires = give_token(study, person, one.role, actor=actor)
        text = password.text if password else None
        added.append(Added(one.username, text, token, one.role, study.slug, expires, existing))
    return added


def _create(one: Wanted, password: Password, actor: User | None) -> User:
    try:
        return create_person(one.username, password, email=one.email, actor=actor)
    except ValidationError as error:
        about = {"name": one.username, "why": " ".join(error.messages)}
        raise PeopleTrouble(_("%(name)s cannot be added: %(why)s") % about) from None
    except IntegrityError:
        about = {"name": one.username}
        raise PeopleTrouble(
            _("Somebody else made %(name)s at this moment; nobody was added. Try again.") % about
        ) from None


def join(study: Study, person: User, role: str, *, actor: User | None = None) -> bool:
    """Makes the person a member in this role; whether they were none."""
    membership, is_new = Membership.objects.get_or_create(study=study, person=person, role=role)
    if is_new:
        after = {"person": person.pk, "role": role}
        audit.record("membership.granted", membership, actor=actor, study_slug=study.slug, after=after)
    return is_new


def give_token(
    study: Study, person: User, role: str, *, name: str = "", actor: User | None = None
) -> tuple[str, datetime]:
    """A new API token with the scopes of the role, and when it expires. The text is not kept anywhere."""
    text = issue_token(person, scopes=TOKEN_SCOPES[role], name=name or f"{study.slug} {role}")
    row = AccessToken.objects.filter(user=person, token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH]).latest("created")
    after = {"scopes": row.scopes, "expires": row.expiry}
    audit.record("token.issued", person, actor=actor, study_slug=study.slug, after=after)
    return text, row.expiry


def _highest_number(prefix: str) -> int:
    names = User.objects.filter(username__startswith=f"{prefix}-").values_list("username", flat=True)
    form = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,9}})")
    return max((int(match[1]) for name in names if (match := form.fullmatch(name))), default=0)


def _check_role(role: str) -> None:
    if role not in TOKEN_SCOPES:
        raise PeopleTrouble(f"There is no role {role!r}; there are {', '.join(TOKEN_SCOPES)}.")


def check_address(email: str) -> str:
    """What is wrong with an e-mail address; empty if nothing is, or if there is none."""
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
