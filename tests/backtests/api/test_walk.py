import numpy as np
import pytest

import backtests as bt
from backtests.api.walk import WalkForwardResult
from feeds.errors import ConfigError

SAMPLE = {"source": "sample", "start": "2020-01-01"}


@pytest.fixture(scope="module")
def found() -> WalkForwardResult:
    return bt.walk_forward("ETH", {"hold_days": [20, 40, 60]}, **SAMPLE)


def test_returns_are_stitched_without_a_gap(found):
    returns, steps = found.returns, found.steps
    assert returns.index[0].strftime("%Y-%m-%d") == steps["test_start"].iloc[0]
    assert returns.index[-1].strftime("%Y-%m-%d") == steps["test_end"].iloc[-1]
    assert np.diff(returns.index.asi8).min() == np.diff(returns.index.asi8).max()
    grown = (1 + returns).prod() - 1
    np.testing.assert_allclose(grown, found.figures.loc["total_return"], rtol=1e-9)
    np.testing.assert_allclose(found.equity.iloc[-1], 1 + grown, rtol=1e-12)
    assert found.equity.iloc[0].tolist() == [1.0, 1.0]


def test_steps_name_what_was_chosen(found):
    assert found.steps["rules.hold_days"].isin([20, 40, 60]).all()
    assert len(found.steps) == len(found.walk.steps)


def test_repr_says_windows_figures_and_verdict(found):
    text = " ".join(repr(found).split())
    assert f"ETH: {len(found.steps)} windows traded from 2022-12-31" in text
    assert found.verdict in text
    assert "WARNING sample" in text
    assert "Walk-forward" in found._repr_html_()


def test_windows_are_settings_like_others():
    found = bt.walk_forward(
        "ETH", {"hold_days": [20, 40]}, settings={"walkforward.test_days": 730}, **SAMPLE
    )
    assert found.windows.test_days == 730
    assert len(found.steps) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train_day": 9}, "^`train_day` is not a setting. The nearest is `train_days`.$"),
        ({"train_days": 5}, "`walkforward.train_days` must be a whole number at least 30 .*5"),
        ({"train_days": 5000}, "leave 0 of the 2 steps a walk needs"),
        ({"search": "guided"}, '`sweep.search` must be "grid" or "random" here'),
    ],
)
def test_walk_forward_what_is_wrong_is_said(given, message):
    with pytest.raises(ConfigError, match=message):
        bt.walk_forward("ETH", {"hold_days": [20, 40]}, **given, **SAMPLE)
