"""The forms themselves. ISO 8601 dates are read alike in every language, and sort."""

DAY = "Y-m-d"
CLOCK = "H:i"
MOMENT = f"{DAY} {CLOCK}"
