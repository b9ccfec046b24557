"""Run the product of the current folder, and measure it whenever a line of standard input says so.

`old_and_new` starts this file in two checkouts, so it uses only what both have. A line is `{"way": …, "seconds": …}`,
and is answered by a line with the loops per second.
"""

import json
import sys

from benchmarks.scratch import product
from benchmarks.serving import Case, run

PAIRS, PEOPLE = 10_000, 20


def main() -> None:
    """Answer each line. End with the input."""
    with product("benchmarks.settings") as running:
        from django.db import connection

        from benchmarks import studies  # needs Django to be set up

        study = studies.fill(PAIRS, 1)
        people = studies.sign_in(PEOPLE, [study])
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
        print("ready", flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            seen = run(running, Case(asked["way"], PAIRS, 1, PEOPLE), study, people, asked["seconds"])
            print(json.dumps(seen["calls"]["submit"]["count"] / seen["seconds"]), flush=True)


if __name__ == "__main__":
    main()
