"""Add people to a study: accounts, memberships and API tokens, for many people together."""

import re
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import AccessToken, SentForm, User
from accounts.people import NewPerson, create_people, new_password
from accounts.tokens import create_token, create_tokens
from diptych.database import locks
from diptych.refusals import Refused
from diptych.sentences import joined
from studies.invitations import offer
from studies.memberships import join, join_new_people
from studies.models import Membership, Study
from studies.models.memberships import Role

#: Scopes of a new person's token, by role.
TOKEN_SCOPES: dict[str, tuple[str, ...]] = {
    Role.ANNOTATOR: ("read", "annotate"),
    Role.REVIEWER: ("read", "review"),
    Role.RESEARCHER: ("read", "export"),
    Role.ADMIN: ("read", "export", "manage"),
    Role.WELLBEING_CONTACT: ("read",),
}
#: Name of the token of a new account. It names no study, because admins of other studies can see it.
MOST_PEOPLE = 10_000
#: Number of accounts that are made with the same few statements. Progress is reported after each chunk.
CHUNK = 50
#: The form that adds people by number, and its audit row.
NUMBERED = "people.numbered"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person to add."""

    username: str
    role: str
    email: str = ""


class Outcome(StrEnum):
    """The result for one person who was to be added."""

    CREATED = "created"
    """A new account, with this role."""
    GRANTED = "granted"
    """The person was already in the study, and has this role now."""
    INVITED = "invited"
    """The person has an account, and joins the study when they accept."""
    UNCHANGED = "unchanged"
    """The person already has the role, or is already invited to it."""


@dataclass(frozen=True, slots=True)
class Added:
    """The result for one person. A new account has a password and a token, which are shown only once."""

    username: str
    outcome: Outcome
    password: str | None
    token: str | None
    role: str
    study: str
    expires: datetime | None

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
    """Add `count` new people, named `<prefix>-1` and so on, after the highest number in use.

    `once` identifies a form. If the form is sent again, nobody is added. Raises Refused.
    """
    _check_role(role)
    if not 1 <= count <= MOST_PEOPLE:
        raise Refused(f"The count is {count}. It must be 1 to {MOST_PEOPLE}.")
    prefix = prefix or role.replace("_", "-")
    with transaction.atomic():
        # Only one request at a time may choose numbers. The unique username stops everything else.
        locks.lock(locks.Key.NUMBER_PEOPLE)
        if once is not None:
            _only_once(study, once, {"role": role, "count": count}, actor)
        first = _highest_number(prefix) + 1
        wanted = [Wanted(f"{prefix}-{number}", role) for number in range(first, first + count)]
        return _add(study, wanted, actor=actor, progress=progress)


def _only_once(study: Study, once: uuid.UUID, about: dict[str, Any], actor: User | None) -> None:
    """Record that the form was sent, in the transaction that adds its people. Raises Refused the second time."""
    about_form = {"form": f"{NUMBERED} {study.pk}", "key": once}
    _row, is_first = SentForm.objects.get_or_create(**about_form, defaults={"sent_by": actor})
    if not is_first:
        raise Refused(
            _("This form was already sent, and its people were added. Their passwords cannot be shown again.")
        )
    audit.record(NUMBERED, study, actor=actor, study_slug=study.slug, after=about | {"once": str(once)})


def add_named(
    study: Study,
    wanted: Sequence[Wanted],
    *,
    actor: User | None = None,
    progress: Callable[[], object] = lambda: None,
) -> list[Added]:
    """Add people by name. People who have an account elsewhere are invited, and keep their password and tokens.

    Raises Refused. Then nobody was added or invited.
    """
    for one in wanted:
        _check_role(one.role)
    with transaction.atomic():
        return _add(study, wanted, actor=actor, progress=progress)


def _add(study: Study, wanted: Sequence[Wanted], *, actor: User | None, progress: Callable[[], object]) -> list[Added]:
    names = {one.username for one in wanted}
    existing = User.objects.select_for_update(no_key=True).filter(username__in=names).order_by("pk")
    people = {person.username: person for person in existing}
    here = Membership.objects.filter(study=study, person__in=people.values())
    members = set(here.values_list("person_id", flat=True))
    # For a name without an account, the first line makes the account. Further lines add roles.
    firsts: dict[str, Wanted] = {}
    for one in wanted:
        if one.username not in people:
            firsts.setdefault(one.username, one)
    created: dict[str, Added] = {}
    new = list(firsts.values())
    for start in range(0, len(new), CHUNK):
        for person, result in _create(study, new[start : start + CHUNK], actor):
            people[person.username] = person
            members.add(person.pk)
            created[person.username] = result
            progress()
    return [
        created[one.username]
        if firsts.get(one.username) is one
        else _add_existing(study, people[one.username], one.role, members=members, actor=actor, progress=progress)
        for one in wanted
    ]


def _add_existing(
    study: Study,
    person: User,
    role: str,
    *,
    members: Collection[int],
    actor: User | None,
    progress: Callable[[], object],
) -> Added:
    """Grant the role to a member, or invite a person who is not in the study. Nobody joins without agreeing."""
    try:
        if person.pk in members:
            is_new, outcome = join(study, person, role, actor=actor, tell_person=True), Outcome.GRANTED
        else:
            is_new, outcome = offer(study, person, role, actor=actor), Outcome.INVITED
    except PermissionDenied as denied:
        raise Refused(str(denied)) from None
    progress()
    return Added(person.username, outcome if is_new else Outcome.UNCHANGED, None, None, role, study.slug, None)


def _create(study: Study, wanted: Sequence[Wanted], actor: User | None) -> list[tuple[User, Added]]:
    """Make accounts with one-time passwords, memberships and tokens, with few statements for all of them."""
    passwords = [new_password() for _ in wanted]
    new = [NewPerson(one.username, password, one.email) for one, password in zip(wanted, passwords, strict=True)]
    try:
        people = create_people(new, actor=actor)
    except IntegrityError:
        raise Refused(
            _("Somebody else made an account with one of these names at the same time. Nobody was added. Try again.")
        ) from None
    roles = [one.role for one in wanted]
    join_new_people(study, list(zip(people, roles, strict=True)), actor=actor)
    scopes = [TOKEN_SCOPES[role] for role in roles]
    tokens = create_tokens(
        list(zip(people, scopes, strict=True)),
        name=AccessToken.MADE_WITH_ACCOUNT,
        actor=actor,
        study_slug=study.slug,
    )
    return [
        (
            person,
            Added(person.username, Outcome.CREATED, password.text, token.text, role, study.slug, token.row.expiry),
        )
        for person, password, token, role in zip(people, passwords, tokens, roles, strict=True)
    ]


def give_token(study: Study, person: User, role: str, *, name: str, actor: User | None = None) -> tuple[str, datetime]:
    """Make a token with the scopes of the role. Return its text and its expiry."""
    token = create_token(person, scopes=TOKEN_SCOPES[role], name=name, actor=actor, study_slug=study.slug)
    return token.text, token.row.expiry


def _highest_number(prefix: str) -> int:
    names = User.objects.filter(username__startswith=f"{prefix}-").values_list("username", flat=True)
    form = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,9}})")
    return max((int(match[1]) for name in names if (match := form.fullmatch(name))), default=0)


def _check_role(role: str) -> None:
    if role not in TOKEN_SCOPES:
        raise Refused(f"There is no role {role!r}. The roles are {', '.join(TOKEN_SCOPES)}.")


def check_address(email: str) -> str:
    """Return what is wrong with an e-mail address. Return an empty string if it is right or empty."""
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        return joined(error.messages)
    return ""
