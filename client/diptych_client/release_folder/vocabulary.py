"""The words that records use: questions, harm keys, parts, and what an answer can be.

`annotation/protocol.py` and `studies/harms.py` define them for the platform. They need Django, so they are repeated
here, and a test compares them.
"""

VIDEOS = ("video_0", "video_1")
TIE = "tie"
SUB_DIMENSIONS = ("instruction_following", "correctness", "informativeness", "aesthetics")
QUESTIONS = (*SUB_DIMENSIONS, "helpfulness", "harmlessness")
HARM_KEYS = (
    *("porn", "animal_abuse", "child_abuse", "crime", "controversial", "contraband"),
    *("hate", "violence", "racism", "other_discrimination", "terrorism", "other_harmful"),
)
PROMPT_TYPES = ("safety_neutral", "safety_critical")
PARTS = ("train", "test", "eval", "excluded")
