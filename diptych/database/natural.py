"""The order in which people expect names: lab-2 comes before lab-10, and case does not matter.

Each number in a name is compared as a number: for the comparison it is padded to 20 digits. This needs no collation
that a server may lack (decision 037).
"""

import re
from typing import Any

from django.db.models import CharField, Func

DIGITS = 20
_NUMBER = re.compile(r"[0-9]+")


class Natural(Func):
    """The key by which a column of names is sorted. Add a unique column after it: two names can have the same key."""

    function = ""
    output_field = CharField()
    template = (
        "lower(regexp_replace(regexp_replace(%(expressions)s, '([0-9]+)', '"
        + "0" * DIGITS
        + r"\1', 'g'), '0*([0-9]{20})', '\1', 'g'))"
    )


def natural_key(name: Any) -> tuple[str, str]:
    """Return the same key for a name in Python, and the name itself, which orders names that have the same key."""
    text = str(name)
    return _NUMBER.sub(lambda found: found[0].lstrip("0").rjust(DIGITS, "0"), text).lower(), text
