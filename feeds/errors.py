"""The one exception tree; only the commands catch it."""


class InputError(Exception):
    """The user's input is wrong: a message of parameter, value, reason and remedy."""


class DataError(InputError):
    """Bars are missing, malformed or do not cover what was asked."""


class ConfigError(InputError):
    """A setting is unknown, out of range or contradicts another."""
