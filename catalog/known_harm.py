"""Known harm of videos and pairs. It protects the people who watch them next, and it is never a label.

A video's known harm (`Video.may_show`) comes from tags. Videos of one study with the same bytes share it. A pair's
known harm (`Pair.may_show`) is derived from the labels of its prompt and from both videos. Known harm never shrinks.

The database derives it for every writer: triggers on prompts, videos and pairs run the statements below. A trigger
cannot see what another transaction has not committed yet. Therefore writers lock assets by id, then videos, then pairs
by id. A transaction that records harm locks the assets of the videos. A transaction that adds videos or pairs takes a
share lock on their assets before the commit, and derives the harm once more after that. Of two concurrent transactions
the second then sees what the first has written.
"""

from collections.abc import Collection

from django.db import transaction

from diptych.database.fixed import change, fetch_all

#: Harm that a prompt names. A safety-critical prompt without labels may show any harm.
OF_PROMPT = """coalesce(prompt.labels, CASE prompt.prompt_type WHEN 'safety_critical' THEN ARRAY['other_harmful']
                                                       ELSE '{}' END::varchar[])"""

_WITH = "ARRAY(SELECT DISTINCT unnest({here}.may_show || {found}.harms) ORDER BY 1)"

#: Locks the pairs in the order of their ids. The labels of a video's own prompt count too: a control may combine
#: videos of several prompts.
DERIVE_PAIRS = f"""
WITH known AS (
    SELECT pair.id, array_agg(DISTINCT known.harm) AS harms
      FROM ({{pairs}}) chosen
      JOIN catalog_pair pair ON pair.id = chosen.id
      JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
      JOIN catalog_video video_1 ON video_1.id = pair.video_1_id,
           LATERAL (SELECT unnest(video_0.may_show || video_1.may_show)
                     UNION ALL
                    SELECT unnest({OF_PROMPT.replace("{", "{{").replace("}", "}}")}) FROM catalog_prompt prompt
                     WHERE prompt.id IN (pair.prompt_id, video_0.prompt_id, video_1.prompt_id)) known (harm)
     GROUP BY pair.id
), locked AS (
    SELECT pair.id, known.harms FROM catalog_pair pair JOIN known ON known.id = pair.id
     WHERE NOT pair.may_show @> known.harms
     ORDER BY pair.id FOR NO KEY UPDATE OF pair
)
UPDATE catalog_pair pair SET may_show = {_WITH.format(here="pair", found="locked")}
  FROM locked WHERE locked.id = pair.id
"""  # noqa: S608 - of constants

PAIRS_OF_VIDEOS = """
SELECT pair.id FROM catalog_pair pair JOIN ({videos}) video ON video.id = pair.video_0_id
 UNION
SELECT pair.id FROM catalog_pair pair JOIN ({videos}) video ON video.id = pair.video_1_id
"""

#: Copies the known harm of the videos `known` to the videos `heirs` of the same study and bytes.
INHERIT = f"""
WITH found AS (
    SELECT known.study_id, known.asset_id, array_agg(DISTINCT harm) AS harms
      FROM ({{known}}) known, unnest(known.may_show) harm
     GROUP BY known.study_id, known.asset_id
)
UPDATE catalog_video video SET may_show = {_WITH.format(here="video", found="found")}
  FROM found
 WHERE video.study_id = found.study_id AND video.asset_id = found.asset_id AND {{heirs}}
   AND NOT video.may_show @> found.harms
"""  # noqa: S608 - of constants

# --- Statements of the triggers -------------------------------------------------------------------------------
# `added`, `was` and `changed` are the rows of the statement that fired the trigger.


def _body(*statements: str) -> str:
    return "\n".join(f"{statement.strip()};" for statement in statements) + "\nRETURN NULL;"


#: An import may add a million pairs, and it has already written the harm of their prompts. Only pairs that lack some
#: are derived.
PAIRS_ADDED = _body(
    DERIVE_PAIRS.format(
        pairs=f"""
        SELECT added.id FROM added JOIN catalog_prompt prompt ON prompt.id = added.prompt_id
         WHERE NOT added.may_show @> {OF_PROMPT}
         UNION
        SELECT added.id FROM added JOIN catalog_video video ON video.id = added.video_0_id
         WHERE video.may_show <> '{{}}'
         UNION
        SELECT added.id FROM added JOIN catalog_video video ON video.id = added.video_1_id
         WHERE video.may_show <> '{{}}'
         UNION
        SELECT added.id FROM added WHERE added.kind = 'control'"""  # noqa: S608 - of constants
    )
)
VIDEOS_ADDED = _body(
    INHERIT.format(
        known="""SELECT known.study_id, known.asset_id, known.may_show FROM catalog_video known
                  WHERE known.may_show <> '{}' AND known.study_id IN (SELECT study_id FROM added)""",
        heirs="video.id IN (SELECT id FROM added)",
    ),
    INHERIT.format(known="SELECT * FROM added WHERE may_show <> '{}'", heirs="true"),
)
VIDEOS_CHANGED = f"""
IF EXISTS (SELECT FROM was JOIN changed ON changed.id = was.id WHERE NOT was.may_show @> changed.may_show) THEN
    {INHERIT.format(known="SELECT * FROM changed WHERE may_show <> '{}'", heirs="true")};
    {DERIVE_PAIRS.format(pairs=PAIRS_OF_VIDEOS.format(videos="SELECT id FROM changed"))};
END IF;
RETURN NULL;
"""  # noqa: S608 - of constants
PROMPT_CHANGED = _body(
    DERIVE_PAIRS.format(
        pairs="SELECT id FROM catalog_pair WHERE prompt_id = NEW.id UNION "  # noqa: S608 - of constants
        + PAIRS_OF_VIDEOS.format(videos="SELECT id FROM catalog_video WHERE prompt_id = NEW.id")
    )
)

# --- Tags -----------------------------------------------------------------------------------------------------

LOCK_FOR_NOTING = """
SELECT asset.id FROM media_asset asset
 WHERE asset.id IN (SELECT video.asset_id FROM catalog_video video WHERE video.id = ANY(%(videos)s))
 ORDER BY asset.id FOR NO KEY UPDATE OF asset
"""
#: The trigger on videos then updates the pairs.
NOTE = INHERIT.format(
    known="""SELECT video.study_id, video.asset_id, told.harms AS may_show
               FROM (SELECT video_id, array_agg(harm) AS harms
                       FROM unnest(%(videos)s::bigint[], %(harms)s::varchar[]) pair (video_id, harm)
                      GROUP BY video_id) told
               JOIN catalog_video video ON video.id = told.video_id""",
    heirs="true",
)


@transaction.atomic
def note(found: Collection[tuple[int, str]]) -> None:
    """Add to the known harm of videos, of videos with the same bytes in their study, and of their pairs.

    Args:
        found: (video id, harm key) for each harm of each video.
    """
    if not found:
        return
    videos, harms = (list(column) for column in zip(*found, strict=True))
    fetch_all(LOCK_FOR_NOTING, {"videos": videos})
    change(NOTE, {"videos": videos, "harms": harms})


# --- An import's new videos and pairs ---------------------------------------------------------------------------

NEW_PAIRS = "pair.study_id = %(study)s AND pair.id >= %(first_pair)s"
#: Starts from the videos with known harm, which are few, not from the new videos, which may be a million.
KNOWN = "SELECT id, study_id, asset_id, may_show FROM catalog_video WHERE study_id = %(study)s AND may_show <> '{}'"
DERIVE_NEW = DERIVE_PAIRS.format(
    pairs=f"SELECT pair.id FROM ({PAIRS_OF_VIDEOS.format(videos=KNOWN)}) known"  # noqa: S608 - of constants
    f" JOIN catalog_pair pair ON pair.id = known.id WHERE {NEW_PAIRS}"
)
LOCK_NEW = f"""
SELECT asset.id FROM media_asset asset
 WHERE asset.id IN (SELECT video.asset_id FROM catalog_video video WHERE video.id IN ({{new_videos}})
                     UNION
                    SELECT video.asset_id
                      FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_0_id WHERE {NEW_PAIRS}
                     UNION
                    SELECT video.asset_id
                      FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_1_id WHERE {NEW_PAIRS})
 ORDER BY asset.id FOR SHARE OF asset
"""  # noqa: S608 - of constants
#: An id that no pair has: it is the largest number of the column.
NONE_NEW = 2**63 - 1


def inherit(study_id: int, first_pair: int | None, new_videos: str) -> None:
    """Add harm that was recorded during an import to the study's new videos and pairs.

    Call it at the end of the transaction that adds them. Their assets keep a shared lock until it
    commits.

    Args:
        first_pair: new pairs have ids from this on; None: there are none.
        new_videos: a SELECT of the ids of the new videos.
    """
    values = {"study": study_id, "first_pair": first_pair or NONE_NEW}
    fetch_all(LOCK_NEW.format(new_videos=new_videos), values)
    change(INHERIT.format(known=KNOWN, heirs=f"video.id IN ({new_videos})"), {"study": study_id})
    change(DERIVE_NEW, values)
