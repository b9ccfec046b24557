"""The study, people, prompts, videos and pairs of a simulation, as rows.

The videos are ready, and have no files: nothing is drawn or prepared, and no page can play them.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from psycopg import sql

from accounts import audit
from accounts.models import User
from accounts.people import NewPerson, create_people, new_password
from annotation import draws
from catalog.models import Batch, Pair, Prompt, Video
from consent import agreements
from diptych.refusals import Refused
from media.models import Asset
from simulation import prompts
from simulation.draws import Index
from simulation.truth import GENERATORS, World
from studies.documents.texts import text_of
from studies.harms import HARM_KEYS
from studies.memberships import join_new_people
from studies.models import Document, StateChange, Study
from studies.models.memberships import Role

MARK = "Simulated"
DESCRIPTION = (
    "This study is simulated: a program made its people, prompts, videos and answers. No person judged anything, and "
    "the videos have no files. Never publish its answers as people’s."
)
LABELLER, GENERATOR_VERSION = "simulate_study", "1"
#: Every clip has the same length.
DURATION_S, FPS = 4.0, 24.0


@dataclass(frozen=True)
class Simulated:
    """A simulated study with its people, in the order of their numbers."""

    study: Study
    annotators: list[User]
    reviewers: list[User]
    researchers: list[User] = field(default_factory=list)

    @property
    def names(self) -> dict[int, str]:
        """Return the names by which the annotators are known in draws (`annotation.draws.named`)."""
        return {person.pk: f"simulated {number}" for number, person in enumerate(self.annotators)}


@transaction.atomic
def make_study(
    slug: str,
    seed: int,
    *,
    people: int,
    reviewers: int,
    overlap: int,
    researchers: int = 0,
    secondary_share: float = 1.0,
    settings: Mapping[str, Any] | None = None,
) -> Simulated:
    """Make a running study that is marked as simulated, with people who agreed to see everything.

    Nobody can sign in as these people: their passwords are not kept. Raises Refused if the address is taken.

    Args:
        settings: other values of settings.
    """
    values = {
        "title": f"{MARK}: {slug}",
        "seed": seed,
        "overlap": overlap,
        "secondary_share": secondary_share,
        "categories": list(HARM_KEYS),
        "require_seen_through": False,
        "daily_dose_s": 0,
        "harmless_after": 0,
        "break_after_s": 0,
        "help_contact": "Nobody: this study is simulated",
        "pay_basis": "Nothing: this study is simulated",
        "vendor": MARK,
        "terms": DESCRIPTION,
        "is_simulated": True,
    } | ({"sample_share": 1.0, "sample_overlap": overlap} if overlap > 1 else {"sample_share": 0.0})
    values |= settings or {}
    try:
        with transaction.atomic():
            study = Study.objects.create(slug=slug, **values)
    except IntegrityError:
        raise Refused(f"There is already a study “{slug}”. Choose another address with --slug.") from None
    StateChange.objects.create(study=study, step=StateChange.Step.CREATED)
    audit.record("study.created", study, actor=None, study_slug=slug, after=values)
    simulated = Simulated(
        study,
        _people(study, "annotator", people, Role.ANNOTATOR),
        _people(study, "reviewer", reviewers, Role.REVIEWER),
        _people(study, "researcher", researchers, Role.RESEARCHER) if researchers else [],
    )
    with draws.named(simulated.names):
        _agree(study, [*simulated.annotators, *simulated.reviewers, *simulated.researchers])
    return simulated


def simulated_of(study: Study) -> Simulated:
    """Return a study that `make_study` made, with its people."""

    def people(name: str) -> list[User]:
        return list(User.objects.filter(username__startswith=f"{study.slug}-{name}-").order_by("username"))

    return Simulated(study, people("annotator"), people("reviewer"), people("researcher"))


def _people(study: Study, name: str, count: int, role: str) -> list[User]:
    digits = len(str(count))
    wanted = [NewPerson(f"{study.slug}-{name}-{n:0{digits}}", new_password()) for n in range(1, count + 1)]
    people = create_people(wanted)
    join_new_people(study, [(person, role) for person in people], actor=None)
    return people


def _agree(study: Study, people: Sequence[User]) -> None:
    document = text_of(study, Document.Kind.CONSENT, "en")
    text = agreements.consent_text(study, document, "en", study.categories)
    for person in people:
        agreements.agree(person, study, categories=study.categories, text=text)


def write_pairs(
    study: Study,
    world: World,
    wanted: Index,
    open_slots: Index,
    batches: Sequence[int],
    shown_harms: Sequence[tuple[list[str], list[str]]] | None = None,
) -> list[int]:
    """Write the pairs of a world with their prompts and videos, by COPY. Return the keys of the pairs in order.

    Args:
        wanted, open_slots, batches: of each pair; `batches` has keys.
        shown_harms: for each pair the harms that answers name for its two videos.
    """
    pairs = len(world)
    prompts_at, videos_at, assets_at, pairs_at = (
        new_keys(model, count)
        for model, count in ((Prompt, pairs), (Video, 2 * pairs), (Asset, 2 * pairs), (Pair, pairs))
    )
    now = timezone.now()
    copy_rows(Prompt, PROMPT, _prompts(study, world, prompts_at))
    copy_rows(Asset, ASSET, ((key, *_new_asset(number), now) for number, key in enumerate(assets_at)))
    copy_rows(Video, VIDEO, _videos(study, world, prompts_at, videos_at, assets_at, shown_harms))
    rows = zip(world.prompt.tolist(), pairs_at, prompts_at, wanted.tolist(), open_slots.tolist(), batches, strict=True)
    copy_rows(
        Pair,
        PAIR,
        (
            (
                *(key, study.pk, batch, prompt, videos_at[2 * place], videos_at[2 * place + 1]),
                *(_hex(f"{study.slug} pair {number}"), needs, free, True, needs > 1),
                *("simulated", 1.0 if needs > 1 else None),
                _harms_of(world, place),
            )
            for place, (number, key, prompt, needs, free, batch) in enumerate(rows)
        ),
    )
    return pairs_at


PROMPT = (
    *("id", "study_id", "public_id", "text", "prompt_type", "labels", "labelled_by", "source", "source_detail"),
    *("cluster", "split"),
)
ASSET = ("id", "state", "public_id", "sha256", "byte_size", "original", "duration_s", "fps", "finished_at")
VIDEO = (
    *("id", "study_id", "prompt_id", "asset_id", "public_id", "generator", "generator_version", "seed", "may_show"),
    "licence",
)
PAIR = (
    *("id", "study_id", "batch_id", "prompt_id", "video_0_id", "video_1_id", "public_id", "wanted", "open_slots"),
    *("ready", "in_sample", "selection_method", "selection_probability", "may_show"),
)


def _harms_of(world: World, place: int) -> list[str]:
    label = int(world.label[place])
    return [] if label < 0 else [HARM_KEYS[label]]


def _prompts(study: Study, world: World, keys: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for place, key in enumerate(keys):
        harms = _harms_of(world, place)
        text = prompts.text_of(int(world.prompt[place]), int(world.label[place]) if harms else None)
        kind = Prompt.Type.SAFETY_CRITICAL if harms else Prompt.Type.SAFETY_NEUTRAL
        split = Prompt.Split.TEST if world.held_out[place] else Prompt.Split.TRAIN
        cluster = _hex(f"{study.slug} {world.asked[place].tolist()}")
        yield (
            *(key, study.pk, _hex(json.dumps(text)), text, str(kind), harms, LABELLER, "researcher", MARK),
            *(cluster, str(split)),
        )


def _new_asset(number: int) -> tuple[Any, ...]:
    content = secrets.token_hex(32)
    return "done", secrets.token_hex(32), content, 1, f"simulated/{content}", DURATION_S, FPS


def _videos(
    study: Study,
    world: World,
    prompts_at: Sequence[int],
    keys: Sequence[int],
    assets: Sequence[int],
    shown_harms: Sequence[tuple[list[str], list[str]]] | None,
) -> Iterator[tuple[Any, ...]]:
    for place, (prompt, number) in enumerate(zip(prompts_at, world.prompt.tolist(), strict=True)):
        for video in (0, 1):
            yield (
                *(keys[2 * place + video], study.pk, prompt, assets[2 * place + video]),
                *(_hex(f"{study.slug} video {number} {video}"), GENERATORS[world.generator[place, video]]),
                *(GENERATOR_VERSION, str(world.seed), shown_harms[place][video] if shown_harms else [], "CC0-1.0"),
            )


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_batches(study: Study, pairs: int, size: int) -> list[int]:
    """Make batches of that many pairs each. Return the key of the batch of each pair."""
    made = Batch.objects.bulk_create(Batch(study=study, number=number + 1) for number in range(-(-pairs // size)))
    return [made[place // size].pk for place in range(pairs)]


def new_keys(model: type[models.Model], count: int) -> list[int]:
    """Reserve keys for rows that are about to be copied, in ascending order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [key for (key,) in cursor.fetchall()]


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by COPY, with all constraints and triggers. Columns that are not named get the model's default."""
    others: dict[str, Any] = {
        field.attname: field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.column not in columns and not field.generated and not field.has_db_default() and not field.primary_key
    }
    defaults = tuple(others.values())
    names: list[sql.Composable] = [sql.Identifier(name) for name in (*columns, *others)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(names)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *defaults))
