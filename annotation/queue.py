"""The queue: which pair comes next for one person, at a cost that does not grow with what they did or cannot take.

A study's servable pairs stand in lanes: those that may show harm (`Pair.Lane`) apart from the others, and controls
apart from real pairs. Each lane is ordered by descending priority, then id, in one partial index. A person walks
along each lane once: their seat keeps how far *ahead* they are, and nothing behind that is looked at again by an
ordinary lease. What opened behind it (a slot that came back, a video that became ready, a new priority) is found by a
*look back*, which walks from the front of each lane to the place ahead, a bounded window at a time, and starts again
every `LOOK_BACK_S`. Nothing is lost for good: before a person is told that nothing is left, the whole queue is walked.
"""

from datetime import datetime
from itertools import chain, repeat
from typing import Any, NamedTuple

import orjson

from annotation.acceptance import BATCH_LEASES, STUDY_LEASES
from diptych.database.fixed import fetch_all, fetch_one

LOOK_BACK_S = 30
#: Pairs that one statement looks at in a lane, at most.
WINDOW = 200


class Turn(NamedTuple):
    """A place in a lane: negated priority, then id, as in the index."""

    order: int
    pair_id: int


FRONT, END = Turn(-(2**31), 0), Turn(2**31 - 1, 2**63 - 1)

#: The lanes, as the seat's positions number them: those of controls come after those of real pairs (`Pair.Lane`).
LANES = (0, 1, 2, 3)
REAL_LANES, HARMLESS_LANES = (0, 1), (0,)
CONTROL_LANES, HARMLESS_CONTROL_LANES = (2, 3), (2,)
SENSITIVE_LANES = (1, 3)
FIRST_CONTROL_LANE = CONTROL_LANES[0]

#: From the first place (not included) to the second (included).
Stretch = tuple[Turn, Turn]
NOTHING: Stretch = (END, END)


class Positions:
    """How far one person is in each lane; kept in their seat as JSON."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self.ahead = {lane: Turn(*kept.get(f"ahead_{lane}", FRONT)) for lane in LANES}
        self.back = {lane: Turn(*kept.get(f"back_{lane}", self.ahead[lane])) for lane in LANES}
        self.looked_back_at: float = kept.get("looked_back_at", 0.0)

    def kept(self) -> dict[str, Any]:
        """As the seat keeps it."""
        result: dict[str, Any] = {"looked_back_at": self.looked_back_at}
        for lane in LANES:
            if self.ahead[lane] != FRONT:
                result[f"ahead_{lane}"] = list(self.ahead[lane])
            if self.back[lane] != self.ahead[lane]:
                result[f"back_{lane}"] = list(self.back[lane])
        return result

    def look_back_if_due(self, lanes: tuple[int, ...], now: datetime) -> bool:
        """Starts to look back if that was long ago; whether one is under way in these lanes.

        A lane that is not asked for now may be half-way for as long as it likes, and keeps the others from nothing.
        """
        if not self._looking_back(lanes) and now.timestamp() - self.looked_back_at >= LOOK_BACK_S:
            self.back = {lane: self.back[lane] if self._looking_back((lane,)) else FRONT for lane in LANES}
            self.looked_back_at = now.timestamp()
        return self._looking_back(lanes)

    def _looking_back(self, lanes: tuple[int, ...]) -> bool:
        return any(self.back[lane] < self.ahead[lane] for lane in lanes)


class Taken(NamedTuple):
    """What was leased, from which of `LANES`, and whether for the first time."""

    assignment_id: int
    pair_id: int
    lane: int
    order: int
    left: str
    is_new: bool
    expected_s: float

    @property
    def sensitive(self) -> bool:
        return self.lane in SENSITIVE_LANES


def _window(stretch: str) -> str:
    """The pairs of one of the two stretches that are asked for, in order, `WINDOW` at most."""
    return f"""
       (SELECT id, priority * -1 AS place FROM catalog_pair
         WHERE study_id = %(study)s AND lane = %(lane_{stretch})s AND kind = %(kind)s
           AND open_slots > 0 AND ready AND held = ''
           AND (priority * -1, id) > (%(from_{stretch})s, %(from_id_{stretch})s)
           AND (priority * -1, id) <= (%(to_{stretch})s, %(to_id_{stretch})s)
         ORDER BY priority * -1, id LIMIT {WINDOW})"""  # noqa: S608 - of constants


#: At most two lanes are looked at in one statement.
STRETCHES = ("a", "b")

#: Lease a pair to a person, all in one statement. It returns one row, or none if no pair in the windows can be given:
#:
#: 1. `first`: among the pairs in the windows, in the order of serving, find the first that the person can have. Its
#:    study and its batch must lease, the person has agreed to all its harms and reads its language, and they have not
#:    had it before. Lock it; pairs that somebody else has locked are passed by.
#: 2. `taken`: take one of its open slots, and read how often each of its videos stood on the left.
#: 3. `given`: write the assignment, or make an earlier one live again that expired or was released. In a new one the
#:    video that stood on the left less often does so now.
#: 4. `seated`: move the person's seat: how many pairs they were given, the balance of sides, how many pairs in a row
#:    may show harm, and their place in the lane.
#: 5. `exposed`, `dosed`: if the pair may show harm, write down how much of it is expected to be seen, and add that to
#:    the person's day.
#:
#: `OFFSET 0` keeps the search for an earlier assignment one look into an index for each candidate: turned into a join,
#: and planned while tables are small, it would walk through everything that the person was ever given.
TAKE = f"""
WITH first AS (
    SELECT pair.id
      FROM ({_window("a")} UNION ALL {_window("b")}
        ORDER BY place, id
      ) near
      JOIN catalog_pair pair ON pair.id = near.id
     WHERE pair.open_slots > 0 AND pair.ready AND pair.held = '' AND pair.lane IN (%(lane_a)s, %(lane_b)s)
       AND {STUDY_LEASES} AND {BATCH_LEASES}
       AND NOT pair.may_show && %(excluded)s::varchar[]
       AND (%(languages)s::varchar[] = '{{}}' OR EXISTS (
               SELECT FROM catalog_prompt prompt WHERE prompt.id = pair.prompt_id
                  AND (prompt.language = ANY(%(languages)s)
                       OR split_part(prompt.language, '-', 1) = ANY(%(languages)s))))
       AND (%(batches)s::integer[] = '{{}}' OR EXISTS (
               SELECT FROM catalog_batch batch WHERE batch.id = pair.batch_id AND batch.number = ANY(%(batches)s)))
       AND NOT EXISTS (SELECT FROM annotation_assignment had
                        WHERE had.pair_id = pair.id AND had.person_id = %(person)s
                          AND had.state NOT IN ('expired', 'released') OFFSET 0)
     ORDER BY near.place, near.id
     LIMIT 1
       FOR UPDATE OF pair SKIP LOCKED
), taken AS (
    UPDATE catalog_pair pair SET open_slots = open_slots - 1
      FROM first WHERE pair.id = first.id
    RETURNING pair.id, lane + %(first_lane)s AS lane, pair.lane = 1 AS sensitive, priority * -1 AS place,
              video_0_id, video_1_id,
              (SELECT coalesce(sum(CASE other."left" WHEN 'video_0' THEN 1 ELSE -1 END), 0)
                 FROM annotation_assignment other
                WHERE other.pair_id = pair.id AND other.state IN ('leased', 'submitted')) AS balance
), given AS (
    INSERT INTO annotation_assignment AS mine
           (study_id, pair_id, person_id, round, round_reason, "left", dimension_first, state, place,
            leased_at, shown_at, expires_at, skip_reason, protocol_version, guideline_version)
    SELECT %(study)s, taken.id, %(person)s, 0, '',
           CASE WHEN balance > 0 THEN 'video_1' WHEN balance < 0 THEN 'video_0' ELSE %(left)s END,
           %(dimension)s, 'leased', %(place)s, %(now)s, %(shown_at)s, %(expires_at)s, '',
           %(protocol)s, %(guideline)s
      FROM taken
        ON CONFLICT (pair_id, person_id, round) DO UPDATE
       SET state = 'leased', place = excluded.place, leased_at = excluded.leased_at, shown_at = excluded.shown_at,
           expires_at = excluded.expires_at, ended_at = NULL, lease_number = mine.lease_number + 1,
           protocol_version = excluded.protocol_version, guideline_version = excluded.guideline_version
     WHERE mine.state IN ('expired', 'released')
    RETURNING id, pair_id, "left", xmax = 0 AS is_new
), seated AS (
    UPDATE annotation_seat seat
       SET served = served + is_new::integer,
           left_balance = left_balance + CASE WHEN NOT is_new THEN 0 WHEN "left" = 'video_0' THEN 1 ELSE -1 END,
           sensitive_run = CASE WHEN sensitive THEN sensitive_run + 1 ELSE 0 END,
           positions = %(positions)s::jsonb
                    || jsonb_build_object(%(which)s::text || taken.lane, jsonb_build_array(taken.place, taken.id))
      FROM given, taken WHERE seat.id = %(seat)s
), exposed AS (
    INSERT INTO annotation_exposure (assignment_id, study_id, person_id, day, expected_s, lapses_s)
    SELECT given.id, %(study)s, %(person)s, %(day)s, seconds, CASE %(place)s WHEN 'current' THEN 0 ELSE seconds END
      FROM given, taken, LATERAL (
           SELECT %(looks)s * coalesce(sum(asset.duration_s), 0) AS seconds
             FROM catalog_video video JOIN media_asset asset ON asset.id = video.asset_id
            WHERE video.id IN (taken.video_0_id, taken.video_1_id)) estimate
     WHERE sensitive AND is_new
    RETURNING expected_s
), dosed AS (
    INSERT INTO annotation_dose AS dose (person_id, day, seconds)
    SELECT %(person)s, %(day)s, expected_s FROM exposed
        ON CONFLICT (person_id, day) DO UPDATE SET seconds = dose.seconds + excluded.seconds
)
SELECT given.id, pair_id, lane, place, "left", is_new, coalesce((SELECT expected_s FROM exposed), 0)
  FROM given, taken
"""  # noqa: S608 - of constants

#: For each stretch: its lane, how many pairs its window holds, and the last of them.
WINDOW_ENDS = " UNION ALL ".join(
    f"SELECT %(lane_{stretch})s::integer + %(first_lane)s, count(*), "  # noqa: S608 - of constants
    f"(array_agg(place ORDER BY place DESC, id DESC))[1], "
    f"(array_agg(id ORDER BY place DESC, id DESC))[1] FROM {_window(stretch)} near"
    for stretch in STRETCHES
)


#: What `TAKE` needs to know of who asks and what the assignment is to say: its parameters by name, but for the
#: stretches of the lanes and the positions.
Wish = dict[str, Any]


def take(wish: Wish, positions: Positions, lanes: tuple[int, ...], now: datetime) -> Taken | None:
    """Leases the first pair in order that the person may have from these lanes, which are all of one kind. None if
    nothing is in reach: what lies behind them may still come with `take_anywhere`."""
    if positions.look_back_if_due(lanes, now):
        behind: dict[int, Stretch] = {lane: (positions.back[lane], positions.ahead[lane]) for lane in lanes}
        taken = _attempt(wish, positions, behind, "back_")
        if taken is not None:
            positions.back[taken.lane] = Turn(taken.order, taken.pair_id)
            return taken
        for lane, (is_full, last) in _ends(wish, behind).items():
            positions.back[lane] = last if is_full else positions.ahead[lane]
    return _walk(wish, positions, {lane: (positions.ahead[lane], END) for lane in lanes})


def take_anywhere(wish: Wish, positions: Positions, lanes: tuple[int, ...]) -> Taken | None:
    """The same from the front of the lanes: only None means that nothing is there."""
    return _walk(wish, positions, dict.fromkeys(lanes, (FRONT, END)))


def _walk(wish: Wish, positions: Positions, stretches: dict[int, Stretch]) -> Taken | None:
    """Window by window to the end of the stretches; the positions ahead follow."""
    while stretches:
        taken = _attempt(wish, positions, stretches, "ahead_")
        if taken is not None:
            positions.ahead[taken.lane] = Turn(taken.order, taken.pair_id)
            return taken
        following = {}
        for lane, (is_full, last) in _ends(wish, stretches).items():
            positions.ahead[lane] = max(positions.ahead[lane], last)
            if is_full:
                following[lane] = (last, END)
        stretches = following
    return None


def _attempt(wish: Wish, positions: Positions, stretches: dict[int, Stretch], which: str) -> Taken | None:
    row = fetch_one(
        TAKE,
        wish | _bounds(stretches) | {"which": which, "positions": orjson.dumps(positions.kept()).decode()},
    )
    return Taken(*row) if row else None


def _ends(wish: Wish, stretches: dict[int, Stretch]) -> dict[int, tuple[bool, Turn]]:
    """For each lane whether its window is full, so that more may follow, and where it ends."""
    rows = fetch_all(WINDOW_ENDS, {"study": wish["study"]} | _bounds(stretches))
    return {
        lane: (count == WINDOW, Turn(order, pair_id) if count else stretches[lane][0])
        for lane, count, order, pair_id in rows
        if lane in stretches
    }


def _bounds(stretches: dict[int, Stretch]) -> dict[str, Any]:
    """Parameters of the two windows; one that is not needed is empty."""
    first = FIRST_CONTROL_LANE if min(stretches) >= FIRST_CONTROL_LANE else 0
    bounds: dict[str, Any] = {"kind": "control" if first else "real", "first_lane": first}
    given = chain(stretches.items(), repeat((first - 1, NOTHING)))
    for name, (lane, (after, until)) in zip(STRETCHES, given, strict=False):
        bounds |= {f"lane_{name}": lane - first, f"from_{name}": after.order, f"from_id_{name}": after.pair_id}
        bounds |= {f"to_{name}": until.order, f"to_id_{name}": until.pair_id}
    return bounds
