import numpy as np
import pytest

from strategies.position_rule import (
    ENTER,
    EXIT_INDEX_DRAWDOWN,
    EXIT_STOP_LOSS,
    EXIT_SUPPORT_LOST,
    EXIT_TRAILING_STOP,
    EXIT_WINDOW,
    NONE,
    STAY,
    Moment,
    State,
    rule_of,
    step,
)
from strategies.rule_settings import RuleSettings

DAY = 86_400.0


def play(settings, rows, entry=100.0):
    """Return the action at each row; a row holds (close, index close, trigger, lost).

    Sessions are numbered as the rows, so an event carries its row's number. An ENTER fills
    at once at `entry`, an exit too.
    """
    rule, state, price, actions = rule_of(settings), State(), np.nan, []
    for t, (close, index_close, trigger, lost) in enumerate(rows):
        moment = Moment(
            time=(t + 1) * DAY,
            close=close,
            index_close=index_close,
            session=t,
            trigger_session=t if trigger else NONE,
            lost_session=t if lost else NONE,
            gate=True,
            leave=False,
        )
        state, action = step(rule, state, moment, price)
        actions.append(action)
        price = entry if action == ENTER else price if action == STAY else np.nan
    return actions


def quiet(n, close=100.0):
    return [(close, 50.0, False, False)] * n


TRIGGER = (100.0, 50.0, True, False)
LOST = (100.0, 50.0, False, True)


def test_step_window_of_three_days_exits_three_days_after_entry():
    actions = play(RuleSettings(hold_days=3), [TRIGGER, *quiet(5)])
    assert actions == [ENTER, STAY, STAY, EXIT_WINDOW, STAY, STAY]


@pytest.mark.parametrize("again", [1, 2, 3])
def test_step_trigger_inside_window_extends_without_trading(again):
    rows = [TRIGGER, *quiet(8)]
    rows[again] = TRIGGER
    actions = play(RuleSettings(hold_days=3), rows)
    assert actions[0] == ENTER
    assert [t for t, action in enumerate(actions) if action == EXIT_WINDOW] == [again + 3]
    assert actions.count(STAY) == len(rows) - 2


def test_step_hold_zero_stays_until_an_exit():
    rows = [TRIGGER, *quiet(400), LOST]
    actions = play(RuleSettings(hold_days=0), rows)
    assert actions == [ENTER, *[STAY] * 400, EXIT_SUPPORT_LOST]


def test_step_support_lost_switched_off_changes_nothing():
    actions = play(RuleSettings(hold_days=0, exit_on_support_lost=False), [TRIGGER, LOST])
    assert actions == [ENTER, STAY]


def test_step_support_lost_between_trigger_and_delayed_entry_cancels_it():
    # the trigger of session 0 takes effect only when session 2 is known; 1 lost support
    rule = rule_of(RuleSettings(hold_days=9))
    state, _ = step(rule, State(), Moment(DAY, 100.0, 50.0, 1, NONE, 1, True, False), np.nan)
    _, action = step(rule, state, Moment(2 * DAY, 100.0, 50.0, 2, 0, NONE, True, False), np.nan)
    assert action == STAY


def test_step_stop_loss_at_the_level_exits():
    rows = [TRIGGER, (90.1, 50.0, False, False), (90.0, 50.0, False, False)]
    actions = play(RuleSettings(hold_days=0, stop_loss=0.1), rows)
    assert actions == [ENTER, STAY, EXIT_STOP_LOSS]


def test_step_trailing_stop_follows_the_highest_close():
    closes = [100.0, 100, 200, 181, 180]
    rows = [(close, 50.0, t == 0, False) for t, close in enumerate(closes)]
    actions = play(RuleSettings(hold_days=0, trailing_stop=0.1), rows)
    assert actions == [ENTER, STAY, STAY, STAY, EXIT_TRAILING_STOP]


def test_step_trailing_stop_ignores_closes_before_entry():
    rows = [(500.0, 50.0, False, False), TRIGGER, *quiet(2)]
    actions = play(RuleSettings(hold_days=0, trailing_stop=0.1), rows)
    assert actions == [STAY, ENTER, STAY, STAY]


def test_step_index_drawdown_counts_the_close_known_at_entry():
    indices = [50.0, 46.0, 45.0]
    rows = [(100.0, level, t == 0, False) for t, level in enumerate(indices)]
    actions = play(RuleSettings(hold_days=0, index_drawdown=0.1), rows)
    assert actions == [ENTER, STAY, EXIT_INDEX_DRAWDOWN]


def test_step_after_a_stop_needs_a_trigger_of_a_later_session():
    rows = [TRIGGER, (80.0, 50.0, True, False), (80.0, 50.0, False, False), TRIGGER]
    actions = play(RuleSettings(hold_days=60, stop_loss=0.1), rows)
    # the trigger on the bar of the stop does not bring it back; the next session's does
    assert actions == [ENTER, EXIT_STOP_LOSS, STAY, ENTER]


def test_step_after_the_window_a_new_trigger_enters_again():
    rows = [TRIGGER, *quiet(3), TRIGGER]
    assert play(RuleSettings(hold_days=2), rows) == [ENTER, STAY, EXIT_WINDOW, STAY, ENTER]
