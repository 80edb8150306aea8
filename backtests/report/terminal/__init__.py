"""What commands print."""

from typing import Final

WIDTH: Final = 100  # columns, when nobody watches
