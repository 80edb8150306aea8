"""Every preset of a claim runs as a backtest, and says what would prove it wrong."""

from pathlib import Path

import numpy as np
import pytest

from backtests.config.config import load_config
from backtests.engines.backtrader_engine import simulate
from backtests.market.inputs import load_inputs
from backtests.market.market import build_market

CLAIMS = sorted((Path(__file__).parents[1] / "configs" / "claims").glob("*.toml"))


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_claim_preset_runs_on_real_bars(path, shared_data):
    flags = {"data.source": "files", "data.data_dir": str(shared_data)}
    config = load_config(path, flags=flags)
    account = simulate(build_market(config, load_inputs(config)).traded, config)
    assert np.isfinite(account.equity).all()
    assert account.refused == 0


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_claim_preset_says_who_claims_it_and_what_would_prove_it_wrong(path):
    text = path.read_text(encoding="utf-8")
    assert "roved wrong" in text.split("[claim]")[0]
    claim = load_config(path).claim
    assert claim is not None
    assert claim.statement
    assert claim.source


def test_claims_of_the_market_story_are_all_there():
    names = {path.stem for path in CLAIMS}
    wanted = {
        f"{index}new-high-{asset}" for index in ("", "value-") for asset in ("btc", "eth", "alts")
    }
    wanted |= {"breakout", "support-held-2020", "fund-flows", "unprofitable-share", "liquidity"}
    assert wanted <= names
