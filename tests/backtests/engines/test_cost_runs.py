"""Cost sensitivity against runs of the config with those costs."""

import dataclasses

import numpy as np
import pytest

from backtests.analysis.exposure import exposure_of
from backtests.engines.cost_runs import MULTIPLES
from tests.backtests import baskets
from tests.judged import sensitivity_of


def test_rows_equal_runs_with_those_costs():
    result, _ = baskets.run()
    rows = sensitivity_of(result).rows
    assert [row.multiple for row in rows] == list(MULTIPLES)
    for row in rows:
        _, summary = baskets.run(
            f"costs.commission_bps={10 * row.multiple}", f"costs.slippage_bps={5 * row.multiple}"
        )
        assert row.bps == pytest.approx(15 * row.multiple)
        assert row.cagr == summary.figures["strategy"]["cagr"]
        assert row.held_cagr == summary.figures["buy_and_hold"]["cagr"]
        assert row.costs_paid == pytest.approx(summary.figures["strategy"]["costs_paid"], abs=1e-6)


def test_break_even_is_where_both_end_with_the_same_money():
    for seed in ("rules.hold_days=5", "rules.hold_days=10", "rules.trigger=breakout"):
        result, _ = baskets.run(seed)
        bps = sensitivity_of(result).break_even_bps
        if not np.isfinite(bps):
            continue
        _, summary = baskets.run(
            seed, f"costs.commission_bps={bps * 2 / 3}", f"costs.slippage_bps={bps / 3}"
        )
        final = [summary.figures[name]["final_equity"] for name in ("strategy", "buy_and_hold")]
        assert final[0] == pytest.approx(final[1], rel=0.01)
        return
    pytest.fail("no run of these has a break-even: choose others")


def test_behind_without_costs_has_no_break_even():
    result, _ = baskets.filtered("filters.index_trend.window=5000", "data.start=2018-02-01")
    sensitivity = sensitivity_of(result)
    ahead = sensitivity.rows[0].total_return > result.buy_and_hold.equity.iloc[-1] / 1e5 - 1
    assert np.isnan(sensitivity.break_even_bps) != ahead


def test_run_without_costs_is_tried_at_the_default_ones():
    result, _ = baskets.run("costs.commission_bps=0", "costs.slippage_bps=0")
    assert [row.bps for row in sensitivity_of(result).rows] == [0, 15, 30, 45]


def test_rows_equal_runs_with_as_much_of_the_impact(monkeypatch):
    plain = baskets.named

    def traded(name, seed):
        bars = plain(name, seed)
        return dataclasses.replace(bars, frame=bars.frame.assign(volume=1e4))

    monkeypatch.setattr(baskets, "named", traded)
    charging = "costs.impact=square_root"
    result, _ = baskets.run(charging)
    rows = sensitivity_of(result).rows
    for row in rows:
        _, summary = baskets.run(
            charging,
            f"costs.impact_coefficient={row.multiple}",
            f"costs.commission_bps={10 * row.multiple}",
            f"costs.slippage_bps={5 * row.multiple}",
        )
        assert row.cagr == summary.figures["strategy"]["cagr"]
        assert row.held_cagr == summary.figures["buy_and_hold"]["cagr"]
        assert row.costs_paid == pytest.approx(summary.figures["strategy"]["costs_paid"], abs=1e-6)
    assert rows[0].costs_paid == pytest.approx(0, abs=1e-6)
    spent = rows[1].costs_paid - result.strategy.fills["commission"].sum()
    value = (result.strategy.fills["units"] * result.strategy.fills["price"]).sum()
    # slippage alone is 5 bps of it
    assert spent > 2 * 0.0005 * value
    assert exposure_of(result).cost == pytest.approx(0.001 + spent / value, rel=0.02)
