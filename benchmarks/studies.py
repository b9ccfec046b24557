"""Studies of any size with signed-in people, written by SQL. What a run left in them is recounted and cleared."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, models, transaction
from django.utils import timezone

from accounts.backends import PersonBackend
from accounts.models import AuditEvent, User
from annotation.models import Annotation, Assignment, Break, Dose, Exposure, Standing
from catalog.models import Batch, Pair, Prompt, Video
from consent import agreements
from media.models import Asset
from studies.harms import HARM_KEYS
from studies.models import Membership, Study
from studies.models.memberships import Role

PAIRS_A_BATCH = 1000
#: SQL for 64 hex characters that no other row of the table has. They ascend, which indexes insert quickly.
IN_HEX = "lpad(to_hex(new_id), 64, '0')"
FILLED = [model._meta.db_table for model in (Asset, Prompt, Video, Batch, Pair)]
#: Tables that answering writes, besides pairs and seats.
WRITTEN = [model._meta.db_table for model in (Standing, Annotation, Assignment, Exposure, Dose, Break, AuditEvent)]
#: Resets everything to its state before anybody answered.
EMPTIED = f"""
TRUNCATE {", ".join(WRITTEN)} CASCADE;
UPDATE catalog_pair pair
   SET wanted = study.overlap, open_slots = study.overlap, may_show = '{{}}'
  FROM studies_study study
 WHERE study.id = pair.study_id
   AND (pair.wanted <> study.overlap OR pair.open_slots <> study.overlap OR pair.may_show <> '{{}}');
UPDATE annotation_seat
   SET positions = '{{}}', served = 0, left_balance = 0, sensitive_run = 0, excluded = '{{}}',
       active_ms = 0, since_break_ms = 0, worked_until = NULL, break_until = NULL
"""  # noqa: S608 - of table names

DURABLE = ["fsync", "synchronous_commit", "full_page_writes", "server_version"]


def fill(pairs: int, overlap: int) -> Study:
    """Fill a study with that many pairs of ready videos, each pair with a prompt and two files of its own."""
    with unchecked():
        study = Study.objects.create(
            slug=f"pairs-{pairs}-overlap-{overlap}",
            title="Benchmark",
            overlap=overlap,
            categories=list(HARM_KEYS),
            require_seen_through=False,
        )
        batches = -(-pairs // PAIRS_A_BATCH)
        batch = Batch.objects.create(study=study, number=1)
        multiply(batch, batches - 1, number="1 + copy")
        prompt = Prompt.objects.create(
            study=study, public_id=secrets.token_hex(32), text="A red ball rolls past mark 0"
        )
        words = "'A red ball rolls past mark ' || copy"
        multiply(prompt, pairs - 1, public_id=IN_HEX, text=words)
        asset_0, asset_1 = new_asset(), new_asset()
        for asset in (asset_0, asset_1):
            path = "'originals/' || new_id"
            multiply(asset, pairs - 1, step=2, public_id=IN_HEX, sha256=IN_HEX, original=path)
        videos = [
            Video.objects.create(
                study=study, prompt=prompt, asset=asset, public_id=secrets.token_hex(32), generator="a"
            )
            for asset in (asset_0, asset_1)
        ]
        for video in videos:
            multiply(
                video,
                pairs - 1,
                step=2,
                public_id=IN_HEX,
                prompt_id="first.prompt_id + copy",
                asset_id="first.asset_id + 2 * copy",
            )
        pair = Pair.objects.create(
            study=study,
            batch=batch,
            prompt=prompt,
            video_0=videos[0],
            video_1=videos[1],
            public_id=secrets.token_hex(32),
            wanted=overlap,
            open_slots=overlap,
            ready=True,
        )
        multiply(
            pair,
            pairs - 1,
            public_id=IN_HEX,
            batch_id=f"first.batch_id + copy / {PAIRS_A_BATCH}",
            prompt_id="first.prompt_id + copy",
            video_0_id="first.video_0_id + 2 * copy",
            video_1_id="first.video_1_id + 2 * copy",
        )
    return study


def new_asset() -> Asset:
    return Asset.objects.create(
        sha256=secrets.token_hex(32),
        byte_size=1_000_000,
        original="originals/0",
        state="done",
        duration_s=4.0,
        fps=24.0,
        finished_at=timezone.now(),
    )


def multiply(first: models.Model, copies: int, *, step: int = 1, **expressions: str) -> None:
    """Write `copies` more rows like `first`, with ids that continue from its own by `step`.

    Args:
        expressions: for each column that differs, SQL over `first`, `copy` (1, 2, …) and the row's own `new_id`.
    """
    quote = connection.ops.quote_name
    name = quote(first._meta.db_table)
    columns = [str(field.column) for field in first._meta.concrete_fields if not field.generated]
    differing = {"id": "new_id"} | expressions
    values = [differing.get(column, f"first.{quote(column)}") for column in columns]
    last = first.pk + step * copies
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {name} ({', '.join(map(quote, columns))})"  # noqa: S608 - names and expressions are from this file
            f" SELECT {', '.join(values)} FROM {name} first, generate_series(1, %s) copy,"
            " LATERAL (SELECT first.id + %s * copy AS new_id) numbered WHERE first.id = %s ORDER BY copy",
            [copies, step, first.pk],
        )
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [name, last])


@contextmanager
def unchecked() -> Iterator[None]:
    """Run the block in a transaction without triggers, and so without foreign keys and append-only tables.

    It does not wait for the disk.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off")
        yield


def vacuum(tables: Iterable[str]) -> None:
    """Leave the tables vacuumed and analysed, with nothing for a checkpoint to write during a run."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
        cursor.execute("CHECKPOINT")


def sign_in(people: int, studies: Iterable[Study]) -> list[dict[str, str]]:
    """Make annotators who agreed to the studies' terms, each signed in by a session: `{"session", "csrf"}`."""
    users = [
        User.objects.create(username=f"annotator-{number}", password=f"!{secrets.token_hex(20)}")
        for number in range(people)
    ]
    Membership.objects.bulk_create(
        Membership(study=study, person=user, role=Role.ANNOTATOR) for study in studies for user in users
    )
    for study, user in product(studies, users):
        agreements.agree(user, study, categories=study.categories, text="I agree.")
    return [{"session": new_session(user), "csrf": secrets.token_hex(16)} for user in users]


def new_session(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = f"{PersonBackend.__module__}.{PersonBackend.__qualname__}"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


@dataclass(frozen=True, slots=True)
class Recount:
    """The counts of what a run left in the database. The last two must be 0, and the first three must be equal."""

    answers: int
    standings: int
    audit_rows: int
    leases: int
    over_assigned: int
    wrong_open_slots: int


RECOUNT = """
WITH taken AS (
    SELECT assignment.pair_id,
           count(*) FILTER (WHERE assignment.state = 'leased') AS leases,
           count(*) FILTER (WHERE standing.counted) AS counted
      FROM annotation_assignment assignment
      LEFT JOIN annotation_standing standing ON standing.assignment_id = assignment.id
     GROUP BY assignment.pair_id
), pair AS (
    SELECT wanted, open_slots, coalesce(leases, 0) AS leases, coalesce(counted, 0) AS counted
      FROM catalog_pair LEFT JOIN taken ON taken.pair_id = catalog_pair.id
     WHERE study_id = %s
)
SELECT (SELECT count(*) FROM annotation_annotation),
       (SELECT count(*) FROM annotation_standing),
       (SELECT count(*) FROM accounts_auditevent WHERE action = 'annotation.submitted'),
       coalesce(sum(leases), 0),
       count(*) FILTER (WHERE counted + leases > wanted),
       count(*) FILTER (WHERE open_slots <> wanted - leases - counted)
  FROM pair
"""


def recount(study: Study) -> Recount:
    """Recount, from the rows, what counters and constraints promise."""
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, [study.pk])
        row: Any = cursor.fetchone()
    return Recount(*map(int, row))


def clear() -> None:
    """Reset everything as if nobody had answered. People keep their seats, and have agreed to what they may see."""
    with unchecked(), connection.cursor() as cursor:
        cursor.execute(EMPTIED)
    vacuum(["catalog_pair", "annotation_seat"])


def durability() -> dict[str, str]:
    """Return the settings of the database that say how durable it was while it was measured."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [DURABLE])
        return dict(cursor.fetchall())
