"""Checks rows against each other. A row that needs a refused row is refused too, and names it."""

from collections.abc import Iterable
from typing import NamedTuple

from importing.intake import Intake
from importing.rows import Manifest, Place
from importing.schema import hint

#: Warnings of texts that look alike; there may be thousands.
MOST_ALIKE = 20


def check_references(found: Manifest, intake: Intake) -> None:
    """Refuses rows whose prompt, origin or videos are unknown, refused or contradictory.

    Safe to repeat: after more rows were refused, it refuses what depended on them.
    """
    _refuse_repeated_texts(found, intake)
    _refuse_without_prompt(found, intake)
    _refuse_without_origin(found, intake)
    _refuse_circles(found, intake)
    _refuse_broken_pairs(found, intake)


def refuse_same_videos(found: Manifest, intake: Intake) -> None:
    """Refuses pairs and origins for which two ids turned out to be one video: same bytes, same origin."""
    intake.execute("CREATE INDEX video_public_id ON video (public_id)")
    same = intake.fetch("""
        SELECT pair.row, one.id, other.id
          FROM pair JOIN video one ON one.row = pair.one JOIN video other ON other.row = pair.other
         WHERE one.public_id = other.public_id ORDER BY pair.row
    """)
    for row, one, other in same:
        reason = f"The videos {one} and {other} are the same: same bytes, same origin"
        intake.refuse("pair", row, "video_1", reason, found)
    _refuse_circles_of_same(found, intake)


def warn_of_spellings(found: Manifest, intake: Intake) -> None:
    """Add a warning for prompts that look alike, since they are one text with accents stored in two ways."""
    alike = intake.fetch("""
        SELECT one.id, one.file, one.line, other.id, other.file, other.line
          FROM (SELECT min(row) AS first, max(row) AS last FROM prompt
                 WHERE composed(text) IS NOT NULL GROUP BY composed(text)
                HAVING count(DISTINCT text) > 1 ORDER BY first LIMIT ?) spelt
          JOIN prompt one ON one.row = spelt.first JOIN prompt other ON other.row = spelt.last
    """, MOST_ALIKE)  # fmt: skip
    for one, file, line, other, other_file, other_line in alike:
        found.warnings.append(
            f"The prompts {one} ({Place(file, line)}) and {other} ({Place(other_file, other_line)}) are one text, with "
            "accents stored in two ways (Unicode NFC and NFD). They are two prompts. Spell them alike to have one."
        )


def _refuse_repeated_texts(found: Manifest, intake: Intake) -> None:
    repeated = intake.fetch("""
        SELECT prompt.row, prompt.id, original.id, original.file, original.line
          FROM (SELECT text_id, min(row) AS first FROM prompt GROUP BY text_id HAVING count(*) > 1) text
          JOIN prompt USING (text_id) JOIN prompt original ON original.row = text.first
         WHERE prompt.row > text.first ORDER BY prompt.row
    """)
    for row, local, first, file, line in repeated:
        place = file if line is None else f"line {line}"
        reason = f"The prompt {local} has the same text as {first} ({place}): use one id"
        intake.refuse("prompt", row, "text", reason, found)


def _refuse_without_prompt(found: Manifest, intake: Intake) -> None:
    rows = intake.fetch("""
        SELECT video.row, video.prompt FROM video LEFT JOIN prompt ON prompt.id = video.prompt
         WHERE prompt.row IS NULL ORDER BY video.row
    """)
    for row, prompt in rows:
        intake.refuse("video", row, "prompt", _absent("prompt", prompt, found, intake), found)


def _refuse_without_origin(found: Manifest, intake: Intake) -> None:
    """Each round refuses what was derived from those of the last one."""
    while rows := intake.fetch("""
        SELECT video.row, video.derived_from FROM video LEFT JOIN video origin ON origin.id = video.derived_from
         WHERE video.derived_from IS NOT NULL AND origin.row IS NULL ORDER BY video.row
    """):
        for row, origin in rows:
            intake.refuse("video", row, "derived_from", _absent("video", origin, found, intake), found)


def _refuse_circles(found: Manifest, intake: Intake) -> None:
    """Refuses videos that would, through others, be derived from themselves, and those derived from one of them."""
    unsound = intake.fetch("""
        WITH RECURSIVE sound (id) AS (
            SELECT video.id FROM video JOIN video origin ON origin.id = video.derived_from
             WHERE origin.derived_from IS NULL
             UNION
            SELECT video.id FROM sound JOIN video ON video.derived_from = sound.id
        )
        SELECT id, row, derived_from FROM video
         WHERE derived_from IS NOT NULL AND id NOT IN (SELECT id FROM sound) ORDER BY row
    """)
    left = {local: (row, origin) for local, row, origin in unsound}
    for start in list(left):
        chain: dict[str, int] = {}
        local = start
        while local in left and local not in chain:
            chain[local], local = left[local]
        in_circle = local in chain
        reason = f"The video {local} would be derived from itself" if in_circle else ""
        for link, row in reversed(chain.items()):
            said = reason or _absent("video", left[link][1], found, intake)
            intake.refuse("video", row, "derived_from", said, found)
        for link in chain:
            del left[link]


class _Derived(NamedTuple):
    """A video line that is derived from another: the two videos by published id, and the origin's local id."""

    row: int
    video: str
    origin: str
    origin_id: str


def _refuse_circles_of_same(found: Manifest, intake: Intake) -> None:
    """Refuses circles that close only because some of the ids are one video."""
    twins = """SELECT public_id FROM video GROUP BY public_id HAVING count(*) > 1"""
    touches = f"""SELECT 1 FROM video JOIN video origin ON origin.id = video.derived_from
                   WHERE video.public_id IN ({twins}) OR origin.public_id IN ({twins}) LIMIT 1"""  # noqa: S608 - from above
    if not intake.fetch(touches):
        return
    links = [
        _Derived(*row)
        for row in intake.stream("""
            SELECT video.row, video.public_id, origin.public_id, origin.id
              FROM video JOIN video origin ON origin.id = video.derived_from ORDER BY video.row
        """)
    ]
    for link in _in_circles(links):
        reason = (
            f"The video {link.origin_id} would be derived from itself: "
            "videos of the same bytes and the same origin are one video"
        )
        intake.refuse("video", link.row, "derived_from", reason, found)


def _in_circles(links: list[_Derived]) -> list[_Derived]:
    """Those left when everything that leads nowhere, or that nothing leads to, is taken away, again and again."""
    while True:
        derived, origins = {link.video for link in links}, {link.origin for link in links}
        kept = [link for link in links if link.origin in derived and link.video in origins]
        if len(kept) == len(links):
            return kept
        links = kept


def _refuse_broken_pairs(found: Manifest, intake: Intake) -> None:
    """Refuses pairs whose videos are not both there, are one, or are of two prompts."""
    intake.execute("""
        UPDATE pair SET one = (SELECT row FROM video WHERE id = video_0),
                        other = (SELECT row FROM video WHERE id = video_1)
         WHERE one IS NULL
    """)
    rows = intake.fetch("""
        SELECT pair.row, pair.prompt, pair.video_0, pair.video_1, about.row,
               one.row, one.prompt, other.row, other.prompt
          FROM pair LEFT JOIN video one ON one.row = pair.one LEFT JOIN video other ON other.row = pair.other
               LEFT JOIN prompt about ON about.id = pair.prompt
         WHERE one.row IS NULL OR other.row IS NULL OR one.row = other.row OR one.prompt <> other.prompt
            OR (pair.prompt IS NOT NULL AND (about.row IS NULL OR pair.prompt <> one.prompt))
         ORDER BY pair.row
    """)
    for row, *facts in rows:
        faults = list(_wrong_with(*facts, found=found, intake=intake))
        place = intake.place("pair", row)
        for column, reason in faults[:-1]:
            found.complain(place, column, reason)
        intake.refuse("pair", row, *faults[-1], found)


def _wrong_with(
    prompt: str | None,
    video_0: str,
    video_1: str,
    about: int | None,
    one: int | None,
    of_one: str | None,
    other: int | None,
    of_other: str | None,
    *,
    found: Manifest,
    intake: Intake,
) -> Iterable[tuple[str, str]]:
    """Each thing that is wrong with a pair, as column and reason."""
    if one is None:
        yield "video_0", _absent("video", video_0, found, intake)
    if other is None:
        yield "video_1", _absent("video", video_1, found, intake)
    if prompt is not None and about is None:
        yield "prompt", _absent("prompt", prompt, found, intake)
    if one is None or other is None or (prompt is not None and about is None):
        return
    if one == other:
        yield "video_1", f"The video {video_0} cannot be compared with itself"
    elif of_one != of_other:
        yield "video_1", f"The two videos are of different prompts, {of_one} and {of_other}"
    elif prompt is not None and prompt != of_one:
        yield "prompt", f"is {prompt}, but its videos are of {of_one}"


def _absent(kind: str, local: str, found: Manifest, intake: Intake) -> str:
    """Why a row that is needed is not there."""
    place = found.refused.get((kind, local))
    if place is not None:
        return f"The {kind} {local} was refused ({place})"
    known = [known for (known,) in intake.fetch(f"SELECT id FROM {kind} ORDER BY row LIMIT 2001")]  # noqa: S608
    near = hint(local, known) if len(known) <= 2000 else ""  # the search takes a look at every id
    return f"No {kind} with the id {local} is in the manifest{near}"
