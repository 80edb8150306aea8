"""The three kinds of array in the house, whatever their shape; text says shape and unit."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY_IN_NANOSECONDS: Final = 86_400_000_000_000  # instants are counted so
