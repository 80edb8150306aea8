"""The one exception tree; only the commands catch it."""


class InputError(Exception):
    """The user's input is wrong: a message of parameter, value, reason and remedy."""


class DataError(InputError):
    """Bars are missing, malformed or do not cover what was asked."""


class Unreachable(DataError):
    """A vendor did not answer: network, timeout or server error, after retries."""


class NotServed(DataError):
    """A vendor answered that it has no such bars: unknown, delisted or blocked here."""


class ConfigError(InputError):
    """A setting is unknown, out of range or contradicts another."""
