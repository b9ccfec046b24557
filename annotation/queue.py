"""The queue: which pair a person gets next, at a cost that does not grow with their history.

A study's servable pairs are in lanes: pairs that may show harm (`Pair.Lane`) are separate from the others, and controls
from real pairs. A lane is ordered by descending priority, then id, in one partial index. A person goes along each lane
once. Their seat stores how far *ahead* they are, and an ordinary lease does not look at pairs before that place.

Pairs may become servable there later: a slot is returned, a video becomes ready, or the priority changes. A *look back*
finds them. It goes from the front of each lane to the place ahead, one window at a time, and starts again every
`LOOK_BACK_S`. The whole queue is searched before the response says that no pair is left.
"""

from datetime import datetime
from itertools import chain, repeat
from typing import Any, NamedTuple

import orjson

from annotation.acceptance import BATCH_LEASES, STUDY_LEASES
from diptych.database.fixed import fetch_all, fetch_one

LOOK_BACK_S = 30
#: The most pairs of a lane that one statement looks at.
WINDOW = 200


class Turn(NamedTuple):
    """A place in a lane: negated priority, then id, as in the index."""

    order: int
    pair_id: int


FRONT, END = Turn(-(2**31), 0), Turn(2**31 - 1, 2**63 - 1)

#: The numbers of the lanes in the seat's positions. Lanes of controls come after those of real pairs (`Pair.Lane`).
LANES = (0, 1, 2, 3)
REAL_LANES, HARMLESS_LANES = (0, 1), (0,)
CONTROL_LANES, HARMLESS_CONTROL_LANES = (2, 3), (2,)
SENSITIVE_LANES = (1, 3)
FIRST_CONTROL_LANE = CONTROL_LANES[0]

#: From the first place (excluded) to the second (included).
Stretch = tuple[Turn, Turn]
NOTHING: Stretch = (END, END)


class Positions:
    """How far one person is in each lane. It is stored in their seat as JSON."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self.ahead = {lane: Turn(*stored.get(f"ahead_{lane}", FRONT)) for lane in LANES}
        self.back = {lane: Turn(*stored.get(f"back_{lane}", self.ahead[lane])) for lane in LANES}
        self.looked_back_at: float = stored.get("looked_back_at", 0.0)

    def as_json(self) -> dict[str, Any]:
        """Return the positions as JSON for the seat."""
        result: dict[str, Any] = {"looked_back_at": self.looked_back_at}
        for lane in LANES:
            if self.ahead[lane] != FRONT:
                result[f"ahead_{lane}"] = list(self.ahead[lane])
            if self.back[lane] != self.ahead[lane]:
                result[f"back_{lane}"] = list(self.back[lane])
        return result

    def look_back_if_due(self, lanes: tuple[int, ...], now: datetime) -> bool:
        """Start to look back if the last time was long ago. Return whether a look back is going on in these lanes.

        A lane that is not asked for now may stay half-way. It does not delay the others.
        """
        if not self._looking_back(lanes) and now.timestamp() - self.looked_back_at >= LOOK_BACK_S:
            self.back = {lane: self.back[lane] if self._looking_back((lane,)) else FRONT for lane in LANES}
            self.looked_back_at = now.timestamp()
        return self._looking_back(lanes)

    def _looking_back(self, lanes: tuple[int, ...]) -> bool:
        return any(self.back[lane] < self.ahead[lane] for lane in lanes)


class LeasedPair(NamedTuple):
    """A leased pair, its lane (one of `LANES`), and whether it was leased for the first time."""

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
    """Return SQL for the pairs of one of the two stretches, in order, `WINDOW` at most."""
    return f"""
       (SELECT id, priority * -1 AS place FROM catalog_pair
         WHERE study_id = %(study)s AND lane = %(lane_{stretch})s AND kind = %(kind)s
           AND open_slots > 0 AND ready AND held = ''
           AND (priority * -1, id) > (%(from_{stretch})s, %(from_id_{stretch})s)
           AND (priority * -1, id) <= (%(to_{stretch})s, %(to_id_{stretch})s)
         ORDER BY priority * -1, id LIMIT {WINDOW})"""  # noqa: S608 - of constants


#: One statement looks at two lanes at most.
STRETCHES = ("a", "b")


class OfControls(NamedTuple):
    """The parts that only the statement for controls has, as SQL.

    Args:
        conditions: more conditions for the pair and the person.
        returned: the video that must be on the left, or null.
        left: put that video on the left.
        column, value: the number of the batch that the person is shown instead of that of the controls.
        counted: count the control in the seat.
    """

    conditions: str = ""
    returned: str = ""
    left: str = ""
    column: str = ""
    value: str = ""
    counted: str = ""


#: The batch of the person's other lease, or of their last answer.
_OTHER_BATCH = """
(SELECT coalesce(other.shown_batch, batch.number)
   FROM annotation_assignment other
   JOIN catalog_pair its_pair ON its_pair.id = other.pair_id
   JOIN catalog_batch batch ON batch.id = its_pair.batch_id
  WHERE other.study_id = %(study)s AND other.person_id = %(person)s AND other.state = '{state}'
  ORDER BY other.ended_at DESC LIMIT 1)
"""
#: A control that repeats a pair goes only to people who never had that pair in any form, or only to its one person.
OF_CONTROLS = OfControls(
    conditions="""
       AND (pair.only_for_id = %(person)s
         OR pair.only_for_id IS NULL AND NOT EXISTS (
               SELECT FROM catalog_pair twin JOIN annotation_assignment had ON had.pair_id = twin.id
                WHERE (twin.id = pair.repeats_id OR twin.repeats_id = pair.repeats_id) AND twin.id <> pair.id
                  AND had.person_id = %(person)s OFFSET 0))""",
    returned=", expected ->> 'left' AS fixed_left",
    left="WHEN fixed_left IS NOT NULL THEN fixed_left ",
    column=", shown_batch",
    value=f", coalesce({_OTHER_BATCH.format(state='leased')}, {_OTHER_BATCH.format(state='submitted')})",
    counted=", controls = controls + is_new::integer",
)


def _lease(*, controls: bool) -> str:
    """Return the statement that leases a real pair to a person, or a control."""
    more = OF_CONTROLS if controls else OfControls()
    return f"""
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
                          AND had.state NOT IN ('expired', 'released') OFFSET 0){more.conditions}
     ORDER BY near.place, near.id
     LIMIT 1
       FOR UPDATE OF pair SKIP LOCKED
), taken AS (
    UPDATE catalog_pair pair SET open_slots = open_slots - 1
      FROM first WHERE pair.id = first.id
    RETURNING pair.id, lane + %(first_lane)s AS lane, pair.lane = 1 AS sensitive, priority * -1 AS place,
              video_0_id, video_1_id{more.returned},
              (SELECT coalesce(sum(CASE other."left" WHEN 'video_0' THEN 1 ELSE -1 END), 0)
                 FROM annotation_assignment other
                WHERE other.pair_id = pair.id AND other.state IN ('leased', 'submitted')) AS balance
), given AS (
    INSERT INTO annotation_assignment AS mine
           (study_id, pair_id, person_id, round, round_reason, "left", dimension_first, state, place,
            leased_at, shown_at, expires_at, skip_reason, protocol_version, guideline_version{more.column})
    SELECT %(study)s, taken.id, %(person)s, 0, '',
           CASE {more.left}WHEN balance > 0 THEN 'video_1' WHEN balance < 0 THEN 'video_0' ELSE %(left)s END,
           %(dimension)s, 'leased', %(place)s, %(now)s, %(shown_at)s, %(expires_at)s, '',
           %(protocol)s, %(guideline)s{more.value}
      FROM taken
        ON CONFLICT (pair_id, person_id, round) DO UPDATE
       SET state = 'leased', place = excluded.place, leased_at = excluded.leased_at, shown_at = excluded.shown_at,
           expires_at = excluded.expires_at, ended_at = NULL, lease_number = mine.lease_number + 1,
           protocol_version = excluded.protocol_version, guideline_version = excluded.guideline_version
     WHERE mine.state IN ('expired', 'released')
    RETURNING id, pair_id, "left", xmax = 0 AS is_new
), seated AS (
    UPDATE annotation_seat seat
       SET served = served + is_new::integer{more.counted},
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


#: Lease a pair to a person, in one statement. It returns one row, or none if no pair in the windows can be given:
#:
#: 1. `first`: find the first pair in the windows, in serving order, that the person can have. Its study and its batch
#:    accept leases, the person has agreed to all its harms and reads its language, and they have not had it before.
#:    Lock it. Pairs that another transaction has locked are skipped.
#: 2. `taken`: take one of its open slots, and read how often each of its videos was on the left.
#: 3. `given`: write the assignment, or make an expired or released one live again. In a new assignment, the video that
#:    was on the left less often is on the left.
#: 4. `seated`: update the person's seat: the number of pairs given, the balance of sides, the number of pairs in a row
#:    that may show harm, and the place in the lane.
#: 5. `exposed`, `dosed`: if the pair may show harm, record its expected exposure, and add it to the person's day.
#:
#: `OFFSET 0` keeps the search for an earlier assignment at one index lookup per candidate. PostgreSQL would otherwise
#: turn it into a join. A plan made while tables are small would then read everything that the person was ever given.
LEASE, LEASE_CONTROL = _lease(controls=False), _lease(controls=True)

#: For each stretch: its lane, the number of pairs in its window, and the last of them.
WINDOW_ENDS = " UNION ALL ".join(
    f"SELECT %(lane_{stretch})s::integer + %(first_lane)s, count(*), "  # noqa: S608 - of constants
    f"(array_agg(place ORDER BY place DESC, id DESC))[1], "
    f"(array_agg(id ORDER BY place DESC, id DESC))[1] FROM {_window(stretch)} near"
    for stretch in STRETCHES
)


#: The parameters of `LEASE` by name, without the stretches of the lanes and the positions: who asks, and what the new
#: assignment contains.
LeaseParameters = dict[str, Any]


def lease_first(
    parameters: LeaseParameters, positions: Positions, lanes: tuple[int, ...], now: datetime
) -> LeasedPair | None:
    """Lease the first pair in order that the person can have from these lanes, which are all of one kind.

    Return None if no pair in reach can be leased. `lease_anywhere` may still find one further back.
    """
    if positions.look_back_if_due(lanes, now):
        behind: dict[int, Stretch] = {lane: (positions.back[lane], positions.ahead[lane]) for lane in lanes}
        leased = _lease_in_windows(parameters, positions, behind, "back_")
        if leased is not None:
            positions.back[leased.lane] = Turn(leased.order, leased.pair_id)
            return leased
        for lane, (is_full, last) in _ends(parameters, behind).items():
            positions.back[lane] = last if is_full else positions.ahead[lane]
    return _search(parameters, positions, {lane: (positions.ahead[lane], END) for lane in lanes})


def lease_anywhere(parameters: LeaseParameters, positions: Positions, lanes: tuple[int, ...]) -> LeasedPair | None:
    """Lease a pair from anywhere in the lanes, beginning at their front. Return None if there is none."""
    return _search(parameters, positions, dict.fromkeys(lanes, (FRONT, END)))


def _search(parameters: LeaseParameters, positions: Positions, stretches: dict[int, Stretch]) -> LeasedPair | None:
    """Search window by window to the end of the stretches, and move the positions ahead along."""
    while stretches:
        leased = _lease_in_windows(parameters, positions, stretches, "ahead_")
        if leased is not None:
            positions.ahead[leased.lane] = Turn(leased.order, leased.pair_id)
            return leased
        following = {}
        for lane, (is_full, last) in _ends(parameters, stretches).items():
            positions.ahead[lane] = max(positions.ahead[lane], last)
            if is_full:
                following[lane] = (last, END)
        stretches = following
    return None


def _lease_in_windows(
    parameters: LeaseParameters, positions: Positions, stretches: dict[int, Stretch], which: str
) -> LeasedPair | None:
    row = fetch_one(
        LEASE_CONTROL if min(stretches) >= FIRST_CONTROL_LANE else LEASE,
        parameters | _bounds(stretches) | {"which": which, "positions": orjson.dumps(positions.as_json()).decode()},
    )
    return LeasedPair(*row) if row else None


def _ends(parameters: LeaseParameters, stretches: dict[int, Stretch]) -> dict[int, tuple[bool, Turn]]:
    """Return for each lane whether its window is full, so that more pairs may follow, and where it ends."""
    rows = fetch_all(WINDOW_ENDS, {"study": parameters["study"]} | _bounds(stretches))
    return {
        lane: (count == WINDOW, Turn(order, pair_id) if count else stretches[lane][0])
        for lane, count, order, pair_id in rows
        if lane in stretches
    }


def _bounds(stretches: dict[int, Stretch]) -> dict[str, Any]:
    """Return the parameters of the two windows. A window that is not needed is empty."""
    first = FIRST_CONTROL_LANE if min(stretches) >= FIRST_CONTROL_LANE else 0
    bounds: dict[str, Any] = {"kind": "control" if first else "real", "first_lane": first}
    given = chain(stretches.items(), repeat((first - 1, NOTHING)))
    for name, (lane, (after, until)) in zip(STRETCHES, given, strict=False):
        bounds |= {f"lane_{name}": lane - first, f"from_{name}": after.order, f"from_id_{name}": after.pair_id}
        bounds |= {f"to_{name}": until.order, f"to_id_{name}": until.pair_id}
    return bounds
