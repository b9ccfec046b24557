"""The codes of the rules, for the constraints of the tables. `findings.rules` describes each rule."""

CONTRADICTION = "contradiction"
SWAPPED_REPEAT = "swapped_repeat"
ONE_SIDE = "one_side"
FASTER_THAN_VIDEOS = "faster_than_videos"
QUICK_NONE = "quick_none"
LITTLE_SEEN = "little_seen"
PREFERENCE_CYCLE = "preference_cycle"
OVERALL_AGAINST_PARTS = "overall_against_parts"
TAGS_AGAINST_LABELS = "tags_against_labels"

#: Rules that can make an answer invalid if a study lists them. The others only write notes.
MAY_INVALIDATE = (CONTRADICTION, SWAPPED_REPEAT, ONE_SIDE, FASTER_THAN_VIDEOS, QUICK_NONE, LITTLE_SEEN)
ONLY_NOTES = (PREFERENCE_CYCLE, OVERALL_AGAINST_PARTS, TAGS_AGAINST_LABELS)
CODES = (*MAY_INVALIDATE, *ONLY_NOTES)

#: What is on, and what makes answers invalid, in a study that changed nothing. The last rule needs labels of a model
#: and finds something in many honest answers, so it is off.
ON_BY_DEFAULT = tuple(code for code in CODES if code != TAGS_AGAINST_LABELS)
INVALIDATING_BY_DEFAULT = (CONTRADICTION,)
