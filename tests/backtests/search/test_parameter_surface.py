"""The surface of many trials: what it says, and how little of them it holds."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.report.charts import heatmaps
from backtests.report.charts import sweep as charts
from backtests.search import parameter_surface as surfaces
from backtests.search.parameter_surface import surface
from backtests.search.plan import load_plan
from backtests.search.rows import table_of
from backtests.search.store import Store, create
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES

OBJECTIVE = FIGURES.index("sharpe_ratio")


def stored(folder: Path, *, sizes: tuple[int, int, int], search: str = "grid") -> Store:
    """Return a store of trials with figures drawn at random, a tenth of them undefined."""
    lookbacks, days, bps = sizes
    file = folder / "sweep.toml"
    file.write_text(
        f'[sweep]\nchunk = 1_000\nsearch = "{search}"\ntrials = 3_000\n'
        f'"signal.lookback" = {[*range(20, 20 + lookbacks), "all"]}\n'
        f'"rules.exit_on_support_lost" = [true, false]\n'
        f'"rules.hold_days" = {{from = 1, to = {days}, step = 1}}\n'
        f'"costs.slippage_bps" = {{from = 1.0, to = {bps}.0, step = 1}}\n'
    )
    plan = load_plan(file)
    store = create(folder, plan, bars=())
    rng = np.random.default_rng(0)
    for chunk in range(plan.chunks):
        first, stop = plan.bounds(chunk)
        figures = rng.normal(size=(stop - first, len(FIGURES))).round(3)
        figures[rng.random(stop - first) < 0.1] = np.nan
        evaluated = Evaluated(figures, [None] * (stop - first))
        store.write(chunk, table_of(plan, chunk, plan.columns(chunk), evaluated))
    return store


def table(store: Store) -> pd.DataFrame:
    columns = ["trial", *store.plan.keys, "sharpe_ratio"]
    parts = [part.to_pandas() for _, part in store.parts(columns)]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("search", ["grid", "random"])
def test_heat_of_every_pair_equals_that_of_the_table(search: str, tmp_path: Path) -> None:
    store = stored(tmp_path, sizes=(2, 128, 3), search=search)
    found, rows = surface(store), table(store)
    # switch and days make 256 cells, which a byte can just not number
    for first, second in [(0, 1), (0, 2), (1, 2), (2, 3), (3, 0)]:
        one, other = found.scales[first], found.scales[second]
        keys = [rows[scale.key].astype(str) for scale in (one, other)]
        groups = rows["sharpe_ratio"].groupby(keys)
        for got, expected in zip(
            found.heat(first, second), (groups.max(), groups.median()), strict=True
        ):
            wanted = expected.unstack().reindex(index=one.labels, columns=other.labels)
            np.testing.assert_array_equal(got, wanted.to_numpy())


def test_heat_of_more_pairs_than_16_bits_number_equals_that_of_the_table(tmp_path: Path) -> None:
    store = stored(tmp_path, sizes=(1, 300, 300), search="random")
    best, _ = surface(store).heat(2, 3)
    groups = table(store).groupby(["rules.hold_days", "costs.slippage_bps"])["sharpe_ratio"]
    expected = groups.max().unstack().reindex(index=range(1, 301), columns=np.arange(1.0, 301.0))
    np.testing.assert_array_equal(best, expected.to_numpy())


def test_surface_of_every_seventh_trial_keeps_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path, sizes=(2, 100, 5))
    monkeypatch.setattr(surfaces, "MOST_TRIALS", 1_100)
    found, rows = surface(store), table(store)
    # 3 to 6 share a factor with the 3,000 trials of the grid
    kept = rows[rows["trial"] % 7 == 0].reset_index(drop=True)
    assert found.every == 7
    np.testing.assert_array_equal(found.objective, kept["sharpe_ratio"])
    for scale, places in zip(found.scales, found.places, strict=True):
        labels = [scale.labels[place] for place in places]
        assert labels == kept[scale.key].astype(str).tolist()
    best = kept.nlargest(5, "sharpe_ratio")
    assert found.top(5).tolist() == best.index.tolist()
    assert np.isnan(found.around(found.top(5))).all()


def test_surface_without_a_chunk_leaves_its_trials_undefined(tmp_path: Path) -> None:
    store = stored(tmp_path, sizes=(2, 100, 5))
    whole = surface(store).objective
    store.path(1).unlink()
    found = surface(store).objective
    assert np.isnan(found[1_000:2_000]).all()
    np.testing.assert_array_equal(np.delete(found, slice(1_000, 2_000))[:1_000], whole[:1_000])
    np.testing.assert_array_equal(found[2_000:], whole[2_000:])


def test_surface_holds_few_bytes_a_trial(tmp_path: Path) -> None:
    peaks, held = {}, {}
    for days in (50, 200):
        (tmp_path / f"{days}").mkdir()
        store = stored(tmp_path / f"{days}", sizes=(2, days, 100))
        tracemalloc.start()
        found = surface(store)
        held[store.plan.trials] = tracemalloc.get_traced_memory()[0]
        heatmaps.heatmaps(found, objective="sharpe_ratio")
        charts.plateau(found, objective="sharpe_ratio")
        peaks[store.plan.trials] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    few, many = sorted(held)
    # the objective 8, the order 4, one for each of the four settings
    assert (held[many] - held[few]) / (many - few) == pytest.approx(8 + 4 + 4, abs=1)
    assert (peaks[many] - peaks[few]) / (many - few) < 48


@pytest.mark.parametrize("trials", [1, 1_140_480, 2_000_000, 2_000_001, 6_912_000, 10**9, 10**10])
def test_surface_of_very_many_trials_is_bounded_and_meets_every_value_of_a_grid(
    trials: int,
) -> None:
    every = surfaces.spacing(trials)
    assert trials / every <= surfaces.MOST_TRIALS
    assert every == 1 or trials / every > surfaces.MOST_TRIALS / 10
    for size in (2, 3, 4, 5, 6, 8, 10, 12, 18, 20):
        if trials % size == 0:
            assert {number * every % size for number in range(size)} == set(range(size))
