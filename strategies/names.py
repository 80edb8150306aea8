"""The names of registered functions where a config may name one, or several."""

from collections.abc import Mapping
from dataclasses import dataclass

from strategies.registry import Kind, entries, is_known


@dataclass(frozen=True, slots=True)
class RegisteredName:
    """The names a setting may have: those of registered functions of a kind, and `also` these.

    They are looked up only when a name is given: the functions import libraries a config does
    not need.
    """

    kind: Kind
    also: tuple[str, ...] = ()
    events: bool = False  # those that only date events, too

    @property
    def names(self) -> list[str]:
        """Every name there is."""
        known = [one for one in entries(self.kind).values() if self.events or not one.only_event]
        ours = [one.name for one in known if not one.is_own]
        return [*ours, *self.also, *(one.name for one in known if one.is_own)]

    def __call__(self, name: str) -> str:
        """Return the name if it is registered, else raise ValueError, for pydantic."""
        if name not in self.names and (not is_known(self.kind, name) or name not in self.names):
            raise ValueError(name)
        return name


class TriggerName(RegisteredName):
    """The names a trigger may have, or several of them: "any(new_high, reclaim)"."""

    def __call__(self, name: str) -> str:
        """Return the trigger if all its names are registered, else raise ValueError."""
        for each in trigger_parts(name)[1]:
            if each not in self.names:
                super().__call__(each)
        return name


def trigger_parts(trigger: str) -> tuple[str, tuple[str, ...]]:
    """Return whether "any" or "all" of some signals make a trigger, and their names."""
    if trigger == "any":
        return "any", ("new_high", "support_held")
    how, _, inside = trigger.removesuffix(")").partition("(")
    if how not in ("any", "all") or not inside:
        return "any", (trigger,)
    return how, tuple(name.strip() for name in inside.split(","))


def trigger_text(given: object) -> object:
    """Return a list of signals, or a table of `any` or `all`, as the text a config keeps."""
    if isinstance(given, list | tuple) and given and all(isinstance(one, str) for one in given):
        return f"any({', '.join(given)})" if len(given) > 1 else given[0]
    if (
        isinstance(given, Mapping)
        and len(given) == 1
        and (how := next(iter(given))) in ("any", "all")
    ):
        names = given[how]
        if isinstance(names, list | tuple) and names and all(isinstance(one, str) for one in names):
            return f"{how}({', '.join(names)})"
    return given
