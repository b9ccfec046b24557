"""The hypergeometric distribution: how many defects are in a random sample of a lot.

A lot of `size` answers has `defects` defective ones, and `drawn` answers are drawn without replacement. Every function
needs only the standard library, works for lots of any size, and is exact to about twelve digits: the terms are
built up from the largest one, so that nothing overflows and nothing is lost when the terms are added.
"""

from math import fsum

#: Terms smaller than this, compared with the largest, cannot change a sum in floating point.
_NEGLIGIBLE = 1e-25


class BadNumbers(ValueError):
    """Numbers that no lot and no sample can have. The message says which ones, and what is possible."""


def check_lot(size: int, drawn: int, defects: int = 0) -> None:
    """Raise BadNumbers unless 0 <= drawn <= size and 0 <= defects <= size."""
    if size < 0:
        raise BadNumbers(f"A lot cannot have {size} answers. Give a number from 0.")
    for name, number in (("sample", drawn), ("number of defects", defects)):
        if not 0 <= number <= size:
            raise BadNumbers(f"The {name} is {number}, but the lot has {size} answers. Give a number from 0 to {size}.")


def probabilities(size: int, defects: int, drawn: int) -> dict[int, float]:
    """Return the probability of each possible number of defects in the sample. Numbers left out are below 1e-25.

    Raise BadNumbers if the sample or the defects do not fit into the lot.
    """
    check_lot(size, drawn, defects)
    fine = size - defects
    least, most = max(0, drawn - fine), min(drawn, defects)
    mode = min(max((drawn + 1) * (defects + 1) // (size + 2), least), most)
    weights = {mode: 1.0}
    weight, found = 1.0, mode
    while found < most and weight > _NEGLIGIBLE:
        weight *= (defects - found) * (drawn - found) / ((found + 1) * (fine - drawn + found + 1))
        found += 1
        weights[found] = weight
    weight, found = 1.0, mode
    while found > least and weight > _NEGLIGIBLE:
        weight *= found * (fine - drawn + found) / ((defects - found + 1) * (drawn - found + 1))
        found -= 1
        weights[found] = weight
    total = fsum(weights.values())
    return {found: weights[found] / total for found in sorted(weights)}


def at_most(most: int, size: int, defects: int, drawn: int) -> float:
    """Return the probability of finding at most this many defects. Raise BadNumbers as `probabilities` does."""
    terms = probabilities(size, defects, drawn)
    return min(1.0, fsum(share for found, share in terms.items() if found <= most))


def at_least(least: int, size: int, defects: int, drawn: int) -> float:
    """Return the probability of finding at least this many defects. Raise BadNumbers as `probabilities` does."""
    terms = probabilities(size, defects, drawn)
    return min(1.0, fsum(share for found, share in terms.items() if found >= least))
