"""Random numbers by position: the same seed and position give the same number, whatever was drawn before.

A person's answer to a pair therefore does not depend on the order in which pairs are served.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Constants of SplitMix64 (Steele, Lea and Flood 2014, “Fast splittable pseudorandom number generators”).
_STEP, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def uniform(seed: int, stream: int, rows: Index, draw: int) -> Numbers:
    """Return a number from 0 (included) to 1 (excluded) for each row.

    Args:
        stream: the number of the person, or of another source of draws.
        rows: numbers of the pairs, or of other things that are drawn for. They may come in any order.
        draw: what the number is for.
    """
    start = np.array([seed * 0x9E3779B1 % 2**64], dtype=np.uint64)
    mixed = _mixed(_mixed(_mixed(start) + np.uint64(stream)) + np.uint64(draw))
    return (_mixed(mixed + rows.astype(np.uint64)) >> np.uint64(11)).astype(np.float64) / 2**53


def normal(seed: int, stream: int, rows: Index, draw: int) -> Numbers:
    """Return a normally distributed number for each row (Box and Muller). It uses the draws `draw` and `draw + 1`."""
    radius = np.sqrt(-2 * np.log(1 - uniform(seed, stream, rows, draw)))
    result: Numbers = radius * np.cos(2 * np.pi * uniform(seed, stream, rows, draw + 1))
    return result


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + _STEP
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


def any_of_last(flags: Flags) -> Flags:
    """Return whether any flag along the last axis is set."""
    result: Flags = np.logical_or.reduce(flags, axis=-1)
    return result
