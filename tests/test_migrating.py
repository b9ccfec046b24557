"""`migrate` makes the database that Django's own command makes."""

import os
import re
import subprocess
import sys

import psycopg
import pytest
from django.db import connection

from diptych.embedded.binaries import postgres_bin

OURS = "from django.core.management import call_command; call_command('migrate', verbosity=0)"
DJANGO = (
    "from django.core.management import call_command; from django.core.management.commands import migrate; "
    "call_command(migrate.Command(), verbosity=0)"
)


def made_by(program: str, name: str, server: str) -> tuple[str, str]:
    """Return a new database's tables, and its permissions with the models that they are for."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    address = f"{server}/{name}"
    code = f"import django; django.setup(); {program}"
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "diptych.settings"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    dump = [str(postgres_bin() / "pg_dump"), "--schema-only", address]
    tables = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    with psycopg.connect(address) as made:
        rows = made.execute(
            "SELECT app_label, model, codename, name FROM auth_permission"
            " JOIN django_content_type ON django_content_type.id = content_type_id ORDER BY 1, 2, 3"
        ).fetchall()
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", tables), repr(rows)


@pytest.mark.long
@pytest.mark.django_db
def test_the_database_is_the_one_that_django_makes():
    settings = connection.settings_dict
    server = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}"
    ours = made_by(OURS, "migrated_by_ours", server)
    assert "CREATE TRIGGER" in ours[0]
    assert ours == made_by(DJANGO, "migrated_by_django", server)
