"""Authentication backend: Django's own, but the query that every request runs is written out."""

from django.contrib.auth.backends import ModelBackend

from accounts import sessions
from accounts.models import User
from diptych.database.fixed import Columns, fetch_one

USER = Columns(User, "person")
ACTIVE = f"SELECT {USER.sql} FROM accounts_user person WHERE person.id = %(id)s AND person.is_active"  # noqa: S608


class PersonBackend(ModelBackend):
    """A backend that signs people in by user name and password."""

    def get_user(self, user_id: int) -> User | None:
        if person := sessions.take_person(user_id):
            return person
        row = fetch_one(ACTIVE, {"id": user_id})
        return USER.instance(row) if row else None
