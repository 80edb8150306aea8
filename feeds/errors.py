"""The one exception tree; only the commands catch it."""


class InputError(Exception):
    """The user's input is wrong: a message of parameter, value, reason and remedy."""


class DataError(InputError):
    """Bars are missing, malformed or do not cover what was asked."""


class Unreachable(DataError):
    """A vendor could not be reached or kept failing: network, timeouts, 429, 5xx."""


class NotServed(DataError):
    """A vendor was reached and does not have it: symbol, region, timeframe or history."""


class NotCached(DataError):
    """Only the cache may be used, and it does not hold what was asked for."""


class Absent(DataError):
    """A series is nowhere: no file of it in the folder, no vendor that serves it.

    It is unknown, not wrong; a series that is there and cannot be read is a plain `DataError`.
    """


class ConfigError(InputError):
    """A setting is unknown, out of range or contradicts another."""
