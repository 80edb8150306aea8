"""What filters did, against the same run without them."""

from itertools import pairwise

import numpy as np
import pytest

from backtests.analysis.filter_effects import gate_records, signal_on
from tests.backtests import baskets


def test_signal_is_on_exactly_while_a_coin_is_held_against_cash():
    result, _ = baskets.run()
    np.testing.assert_array_equal(signal_on(result), result.strategy.invested)


def test_signal_of_a_switch_is_on_whenever_its_own_coin_is_held():
    result, _ = baskets.switch()
    positions = result.strategy.positions
    on = signal_on(result)
    assert on[positions["ETH-USD"] > 0].all()
    assert not on[positions["BTC-USD"] > 0].any()


def test_no_filter_leaves_no_record():
    assert gate_records(baskets.run()[0]) == ()


def test_spans_cover_the_run_and_agree_with_the_shares():
    result, _ = baskets.filtered()
    (record,) = gate_records(result)
    times = result.strategy.bars.index
    assert record.spans[0].start == times[0]
    assert record.spans[-1].stop == times[-1]
    assert all(one.stop == two.start for one, two in pairwise(record.spans))
    assert all(one.state != two.state for one, two in pairwise(record.spans))
    assert sum(record.shares.values()) == pytest.approx(1)


def test_filter_never_known_blocks_every_trigger():
    result, summary = baskets.filtered("filters.index_trend.window=5000")
    (record,) = gate_records(result)
    assert record.shares["unknown"] == 1
    assert record.blocked == record.blocked_alone == record.triggers > 0
    assert summary.trades.empty


def test_two_filters_that_both_block_block_nothing_alone():
    result, _ = baskets.filtered(
        "filters.index_trend.window=5000",
        "filters.other.kind=moving_average",
        "filters.other.window=5000",
    )
    for record in gate_records(result):
        assert record.blocked > 0
        assert record.blocked_alone == 0


def test_exits_counted_are_the_sales_the_filter_asked_for():
    result, summary = baskets.filtered("filters.index_trend.on_exit=true")
    (record,) = gate_records(result)
    assert record.exits == (summary.trades["exit_reason"] == "filter").sum() > 0
