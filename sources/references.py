"""Check rows against each other. A row that needs a refused row is refused too, and its reason names that row."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from sources.intake import Intake
from sources.rows import Manifest, Place
from sources.schema import with_hint
from sources.sentences import Sentence

#: The most warnings about prompts that look alike; there can be thousands.
MOST_ALIKE = 20


def check_references(found: Manifest, intake: Intake) -> None:
    """Refuse rows whose prompt, origin or videos are unknown, refused or contradictory.

    It can be repeated: after more rows were refused, it refuses the rows that need them.
    """
    _refuse_repeated_texts(found, intake)
    _refuse_without_prompt(found, intake)
    _refuse_without_origin(found, intake)
    _refuse_circles(found, intake)
    _refuse_broken_pairs(found, intake)


def refuse_same_videos(found: Manifest, intake: Intake) -> None:
    """Refuse pairs and origins in which two ids turned out to be one video, with the same bytes and origin."""
    intake.execute("CREATE INDEX video_public_id ON video (public_id)")
    same = intake.fetch("""
        SELECT pair.row, one.id, other.id
          FROM pair JOIN video one ON one.row = pair.one JOIN video other ON other.row = pair.other
         WHERE one.public_id = other.public_id ORDER BY pair.row
    """)
    for row, one, other in same:
        reason = Sentence(
            _("The videos %(one)s and %(other)s are the same: same bytes, same origin"), one=one, other=other
        )
        intake.refuse("pair", row, "video_1", reason, found)
    _refuse_circles_of_same(found, intake)


def warn_of_spellings(found: Manifest, intake: Intake) -> None:
    """Add a warning for prompts that look alike because they are one text with accents stored in two ways."""
    alike = intake.fetch("""
        SELECT one.id, one.file, one.line, other.id, other.file, other.line
          FROM (SELECT min(row) AS first, max(row) AS last FROM prompt
                 WHERE composed(text) IS NOT NULL GROUP BY composed(text)
                HAVING count(DISTINCT text) > 1 ORDER BY first LIMIT ?) spelt
          JOIN prompt one ON one.row = spelt.first JOIN prompt other ON other.row = spelt.last
    """, MOST_ALIKE)  # fmt: skip
    for one, file, line, other, other_file, other_line in alike:
        found.warnings.append(
            Sentence(
                _(
                    "The prompts %(one)s (%(place)s) and %(other)s (%(other_place)s) look alike but store accents in "
                    "two ways (Unicode NFC and NFD). They are treated as two prompts. Write both in the same way to "
                    "have one."
                ),
                one=one,
                place=str(Place(file, line)),
                other=other,
                other_place=str(Place(other_file, other_line)),
            )
        )


def _refuse_repeated_texts(found: Manifest, intake: Intake) -> None:
    repeated = intake.fetch("""
        SELECT prompt.row, prompt.id, original.id, original.file, original.line
          FROM (SELECT text_id, min(row) AS first FROM prompt GROUP BY text_id HAVING count(*) > 1) text
          JOIN prompt USING (text_id) JOIN prompt original ON original.row = text.first
         WHERE prompt.row > text.first ORDER BY prompt.row
    """)
    for row, local, first, file, line in repeated:
        template = _("The prompt %(id)s has the same text as %(first)s (%(place)s): use one id")
        reason = Sentence(template, id=local, first=first, place=str(Place(file, line)))
        intake.refuse("prompt", row, "text", reason, found)


def _refuse_without_prompt(found: Manifest, intake: Intake) -> None:
    rows = intake.fetch("""
        SELECT video.row, video.prompt FROM video LEFT JOIN prompt ON prompt.id = video.prompt
         WHERE prompt.row IS NULL ORDER BY video.row
    """)
    for row, prompt in rows:
        intake.refuse("video", row, "prompt", _absent("prompt", prompt, found, intake), found)


def _refuse_without_origin(found: Manifest, intake: Intake) -> None:
    """Refuse videos whose origin is missing. Each round refuses the videos derived from those of the last round."""
    while rows := intake.fetch("""
        SELECT video.row, video.derived_from FROM video LEFT JOIN video origin ON origin.id = video.derived_from
         WHERE video.derived_from IS NOT NULL AND origin.row IS NULL ORDER BY video.row
    """):
        for row, origin in rows:
            intake.refuse("video", row, "derived_from", _absent("video", origin, found, intake), found)


def _refuse_circles(found: Manifest, intake: Intake) -> None:
    """Refuse videos that are derived from themselves through others, and the videos derived from them."""
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
        reason = Sentence(_("The video %(id)s would be derived from itself"), id=local) if in_circle else ""
        for link, row in reversed(chain.items()):
            why = reason or _absent("video", left[link][1], found, intake)
            intake.refuse("video", row, "derived_from", why, found)
        for link in chain:
            del left[link]


class _Derived(NamedTuple):
    """A video that is derived from another: both published ids, and the origin's local id."""

    row: int
    video: str
    origin: str
    origin_id: str


def _refuse_circles_of_same(found: Manifest, intake: Intake) -> None:
    """Refuse circles that exist only because several ids are one video."""
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
        reason = Sentence(
            _(
                "The video %(id)s would be derived from itself: videos with the same bytes and the same origin are one "
                "video"
            ),
            id=link.origin_id,
        )
        intake.refuse("video", link.row, "derived_from", reason, found)


def _in_circles(links: list[_Derived]) -> list[_Derived]:
    """Return the links that are part of a circle. All others are removed from the ends, step by step."""
    while True:
        derived, origins = {link.video for link in links}, {link.origin for link in links}
        kept = [link for link in links if link.origin in derived and link.video in origins]
        if len(kept) == len(links):
            return kept
        links = kept


def _refuse_broken_pairs(found: Manifest, intake: Intake) -> None:
    """Refuse pairs of which a video is missing, whose videos are one, or whose videos are of two prompts."""
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
    """Yield everything that is wrong with a pair, as column and reason."""
    if one is None:
        yield "video_0", _absent("video", video_0, found, intake)
    if other is None:
        yield "video_1", _absent("video", video_1, found, intake)
    if prompt is not None and about is None:
        yield "prompt", _absent("prompt", prompt, found, intake)
    if one is None or other is None or (prompt is not None and about is None):
        return
    if one == other:
        yield "video_1", Sentence(_("The video %(id)s cannot be compared with itself"), id=video_0)
    elif of_one != of_other:
        template = _("The two videos are of different prompts, %(one)s and %(other)s")
        yield "video_1", Sentence(template, one=of_one, other=of_other)
    elif prompt is not None and prompt != of_one:
        template = _("is %(prompt)s, but the videos are of the prompt %(other)s")
        yield "prompt", Sentence(template, prompt=prompt, other=of_one)


_REFUSED = {
    "prompt": _("The prompt %(id)s was refused (%(place)s)"),
    "video": _("The video %(id)s was refused (%(place)s)"),
}
_UNKNOWN = {
    "prompt": _("No prompt with the id %(id)s is in the manifest"),
    "video": _("No video with the id %(id)s is in the manifest"),
}


def _absent(kind: str, local: str, found: Manifest, intake: Intake) -> Sentence:
    """Return why a prompt or video that is needed is missing."""
    place = found.refused.get((kind, local))
    if place is not None:
        return Sentence(_REFUSED[kind], id=local, place=str(place))
    known = [known for (known,) in intake.fetch(f"SELECT id FROM {kind} ORDER BY row LIMIT 2001")]  # noqa: S608
    sentence = Sentence(_UNKNOWN[kind], id=local)
    return with_hint(sentence, local, known) if len(known) <= 2000 else sentence  # the search compares every id
