import pytest

from feeds.errors import ConfigError
from strategies import decorators
from strategies.registry import find


def test_signal_is_registered_with_what_it_reads_and_its_parameters():
    @decorators.signal("reclaim")
    def reclaim(index, coin, vix, *, window: int = 200, level=20.0):
        """Reclaim its mean."""

    entry = find("signal", "reclaim")
    assert entry.is_own
    assert entry.reads == ("index", "coin", "vix")
    assert entry.annotations == {"window": int, "level": float}
    assert entry.summary == "Reclaim its mean."
    assert len(entry.origin.sha256) == 64


@pytest.mark.parametrize("name", ["", "Reclaim", "1st", "a b", "any", "all", "own", "x" * 41])
def test_name_that_no_config_can_hold_is_refused(name):
    with pytest.raises(ConfigError, match="the name of a signal must be"):
        decorators.signal(name)(lambda index: index)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("signal", lambda coin: coin),
        ("signal", lambda: None),
        ("signal", lambda index, *more: index),
        ("signal", lambda index, **more: index),
        ("exit", lambda index: index),
        ("sizing", lambda index: index),
        ("weighting", lambda coins, index: coins),
        ("selection", lambda coin: coin),
    ],
)
def test_function_of_another_form_is_refused_with_the_right_one(kind, function):
    with pytest.raises(ConfigError, match=f"the {kind} 'mine' must be a function of `.*such as"):
        getattr(decorators, kind)("mine")(function)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("signal", "new_high"), ("filter", "moving_average"), ("sizing", "fraction"),
        ("weighting", "equal"), ("selection", "dollar_volume"),
    ],
)  # fmt: skip
def test_name_of_a_built_in_function_is_refused(kind, name):
    function = {"sizing": lambda coin: coin, "weighting": lambda coins: coins}.get(
        kind, (lambda coins: coins) if kind == "selection" else (lambda index: index)
    )
    with pytest.raises(ConfigError, match="from built in. Choose another name"):
        getattr(decorators, kind)(name)(function)


def test_function_of_the_same_place_replaces_the_older():
    for answer in (1, 2):
        decorators.signal("again")(lambda index, answer=answer: answer)
    assert find("signal", "again").function.__defaults__ == (2,)


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="'new_hig' is no signal"):
        find("signal", "new_hig")
