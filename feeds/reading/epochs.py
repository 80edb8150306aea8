"""Numbers to instants: seconds, ms, µs or ns since 1970, each row by itself where certain."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feeds.arrays import Integers

SECOND: Final = 10**9
NAT: Final = int(np.iinfo(np.int64).min)
UNITS: Final = {"s": SECOND, "ms": 10**6, "µs": 10**3, "ns": 1}
# The unit is certain from 1973 to 2103, or as long before 1970: the ranges do not touch.
LEAST_CERTAIN, MOST_CERTAIN = 10**8, 42 * 10**8
SHAPE: Final = re.compile(rb"[+-]?0{1,19}(?:\.0{1,9})?")


def is_epoch_shape(shape: bytes) -> bool:
    """Return whether a text, its digits as 0, can be an epoch."""
    return SHAPE.fullmatch(shape) is not None


def epochs(texts: pa.Array) -> tuple[Integers, str]:
    """Return nanoseconds since 1970, NAT where the unit is uncertain, and how they were read.

    A small number, of 1970 or so, tells no unit; it takes that of the others if they share one.
    """
    whole, parts = _split(texts)
    units = certain_units(whole)
    seen = [unit for unit in UNITS if (units == UNITS[unit]).any()]
    if len(seen) == 1:
        units[:] = UNITS[seen[0]]
    instants = nanoseconds(whole, units=units)
    is_part_lost = (parts != 0) & (units != SECOND)
    instants = np.where(is_part_lost, NAT, np.where(units == SECOND, instants + parts, instants))
    return np.where(whole == NAT, NAT, instants), f"epochs in {' and '.join(seen)}"


def certain_units(numbers: Integers) -> Integers:
    """Return nanoseconds per unit of each number, 0 where its size leaves it open."""
    units = np.zeros(len(numbers), np.int64)
    size = np.abs(np.where(numbers == NAT, 0, numbers))
    for scale in UNITS.values():
        factor = SECOND // scale
        units[(size >= LEAST_CERTAIN * factor) & (size <= MOST_CERTAIN * factor)] = scale
    return units


def nanoseconds(numbers: Integers, *, units: Integers) -> Integers:
    """Return numbers of units as nanoseconds, NAT without a unit or out of range."""
    is_sound = (units > 0) & (np.abs(numbers) <= MOST_CERTAIN * SECOND // np.maximum(units, 1))
    return np.where(is_sound, np.where(is_sound, numbers, 0) * units, NAT)


def _split(texts: pa.Array) -> tuple[Integers, Integers]:
    """Return whole numbers, NAT where too large, and what stands behind the point, in 1e-9."""
    if pc.any(pc.match_substring(texts, "+")).as_py():
        texts = pc.utf8_ltrim(texts, "+")
    if not pc.any(pc.match_substring(texts, ".")).as_py():
        return _integers(texts), np.zeros(len(texts), np.int64)
    fields = [text.partition(".") for text in texts.to_pylist()]
    parts = [int(part.ljust(9, "0")) for _, _, part in fields]
    return _integers(pa.array([whole for whole, _, _ in fields])), np.array(parts, np.int64)


def _integers(texts: pa.Array) -> Integers:
    try:
        return np.array(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        numbers = [int(text) for text in texts.to_pylist()]
        return np.array([one if abs(one) < 2**63 else NAT for one in numbers], np.int64)
