"""New people: their one-time passwords and their accounts. What they may do is said by memberships."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import audit
from accounts.models import User

#: Without i, l and o, which read like 1 and 0.
LETTERS = "abcdefghjkmnpqrstuvwxyz"
GROUPS, LETTERS_A_GROUP = 4, 4  # 16 letters of 23: 72 bits
HASHING_THREADS = 2  # Argon2 takes 100 MB and every core it gets


@dataclass(frozen=True, slots=True)
class Password:
    """A new password: its text, to be handed over once, and the hash that is stored."""

    text: str = field(repr=False)
    hashed: str = field(repr=False)


def new_password() -> Password:
    """A random password that is easy to read out and to type."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(LETTERS_A_GROUP)) for _ in range(GROUPS))
    text = "-".join(groups)
    return Password(text, make_password(text))


def new_passwords(count: int, progress: Callable[[], object] = lambda: None) -> Iterator[Password]:
    """Many passwords. Hashing is slow on purpose, so make them before a transaction begins, not inside it."""
    remaining = iter(range(count))
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        while chunk := list(islice(remaining, 64)):
            for password in pool.map(lambda _number: new_password(), chunk):
                progress()
                yield password


@transaction.atomic
def create_person(
    username: str, password: Password, *, email: str = "", one_time: bool = True, actor: User | None = None
) -> User:
    """A new account. A `one_time` password must be changed at the first sign-in.

    Raises ValidationError for a username or address that cannot be one, or a username that is taken.
    """
    person = User(username=username, email=email, password=password.hashed, must_change_password=one_time)
    person.full_clean()
    person.save(force_insert=True)
    audit.record("user.created", person, actor=actor, after={"username": username, "one_time_password": one_time})
    return person


@transaction.atomic
def reset_password(person: User, password: Password, *, one_time: bool = True, actor: User | None = None) -> None:
    """Replaces a password; the old one, and the sessions that it opened, end."""
    person.password = password.hashed
    person.must_change_password = one_time
    person.save(update_fields=["password", "must_change_password"])
    audit.record("user.password_reset", person, actor=actor, after={"one_time_password": one_time})
