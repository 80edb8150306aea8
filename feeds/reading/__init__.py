"""Files as people have them, from any vendor and in any spelling, to typed tables.

`read_bars` and `read_series` recognise a file by its content and return a `RawTable`, or raise
`DataError` where nothing certain can be made of it. `Choices` are the user's settings for what
a file leaves open. What each vendor writes is a table of data: `feeds.reading.dialects`.
"""

from feeds.reading.dialects import NOTHING_CHOSEN, Choices
from feeds.reading.tables import read_bars, read_series

__all__ = ["NOTHING_CHOSEN", "Choices", "read_bars", "read_series"]
