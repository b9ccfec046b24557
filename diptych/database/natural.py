"""The order in which people expect names: lab-2 before lab-10, whatever the case.

Each number in a name is compared as a number: it is written with 20 digits before names are compared. This needs no
collation that a server may lack (decision 037).
"""

import re
from typing import Any

from django.db.models import CharField, Func

DIGITS = 20
_NUMBER = re.compile(r"[0-9]+")


class Natural(Func):
    """The key by which a column of names is ordered. Add a unique column behind it: two names can have the same key."""

    function = ""
    output_field = CharField()
    template = (
        "lower(regexp_replace(regexp_replace(%(expressions)s, '([0-9]+)', '"
        + "0" * DIGITS
        + r"\1', 'g'), '0*([0-9]{20})', '\1', 'g'))"
    )


def natural_key(name: Any) -> tuple[str, str]:
    """Return the same key for a name that Python has, and the name itself for names with the same key."""
    text = str(name)
    return _NUMBER.sub(lambda found: found[0].lstrip("0").rjust(DIGITS, "0"), text).lower(), text
