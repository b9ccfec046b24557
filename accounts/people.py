"""Make accounts and one-time passwords. Memberships say what people may do."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, tokens
from accounts.models import User
from accounts.one_time_hasher import GROUPS, LETTERS, LETTERS_A_GROUP, OneTimePasswordHasher
from diptych.refusals import BadInput
from diptych.sentences import joined


@dataclass(frozen=True, slots=True)
class Password:
    """A new password: its text, to be given to the person once, and the hash that is stored."""

    text: str = field(repr=False)
    hashed: str = field(repr=False)


def new_password() -> Password:
    """Return a random password that is easy to read aloud and to type, with its cheap hash."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(LETTERS_A_GROUP)) for _ in range(GROUPS))
    text = "-".join(groups)
    return Password(text, make_password(text, hasher=OneTimePasswordHasher.algorithm))


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person for whom an account is to be made."""

    username: str
    password: Password
    email: str = ""


@transaction.atomic
def create_people(wanted: Sequence[NewPerson], *, one_time: bool = True, actor: User | None = None) -> list[User]:
    """Make accounts, all of them or none. A `one_time` password must be changed at the first sign-in.

    Raises BadInput for an invalid user name or e-mail address, and for a user name that is taken. Raises
    IntegrityError for a user name that somebody else takes at the same moment.
    """
    people = []
    for one in wanted:
        person = User(
            username=one.username, email=one.email, password=one.password.hashed, must_change_password=one_time
        )
        try:
            person.clean_fields()
        except ValidationError as error:
            raise _refused(one.username, joined(error.messages)) from None
        people.append(person)
    taken = User.objects.filter(username__in=[one.username for one in wanted]).values_list("username", flat=True)
    if name := next(iter(taken), None):
        raise _refused(name, _("A user with that username already exists."))
    User.objects.bulk_create(people)
    facts = [(person, {"username": person.username, "one_time_password": one_time}) for person in people]
    audit.record_each("user.created", facts, actor=actor)
    return people


def _refused(username: str, why: str) -> BadInput:
    return BadInput(_("%(name)s cannot be added: %(why)s") % {"name": username, "why": why})


def create_person(username: str, password: Password, *, one_time: bool = True, actor: User | None = None) -> User:
    """Make one account. See `create_people`."""
    return create_people([NewPerson(username, password)], one_time=one_time, actor=actor)[0]


@transaction.atomic
def reset_password(person: User, password: Password, *, one_time: bool = True, actor: User | None = None) -> None:
    """Replace a person's password, and end their sessions and API tokens.

    Django ends the sessions, because each session carries a digest of the password.
    """
    lock(person)
    person.password = password.hashed
    person.must_change_password = one_time
    person.save(update_fields=["password", "must_change_password"])
    audit.record("user.password_reset", person, actor=actor, after={"one_time_password": one_time})
    tokens.revoke_all(person, actor=actor)


def lock(person: User) -> User:
    """Lock the person's row until the transaction ends, and return the row as it is now.

    Code that decides by a person's roles, invitations or password locks this row first. Two such decisions about one
    person then run one after the other.
    """
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)
