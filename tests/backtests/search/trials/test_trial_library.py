"""What trials share: signals by the compiled loop are those of the plain one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.search.trials.trial_library import followed
from strategies.signals import SupportRule, follow_support
from tests.markets import index_walk


@settings(max_examples=100)
@given(
    seed=st.integers(0, 20),
    rule=st.builds(
        SupportRule,
        tolerance=st.floats(0, 0.05),
        clearance=st.floats(0, 0.05),
        confirm=st.integers(1, 8),
        window=st.integers(1, 60),
        retest=st.booleans(),
    ),
)
def test_support_compiled_equals_the_plain_loop(seed: int, rule: SupportRule) -> None:
    frame = index_walk(400, seed=seed).frame
    close, low = frame["close"].to_numpy(), frame["low"].to_numpy()
    highest = np.maximum.accumulate(close)
    given = close, low, close == highest, np.concatenate(([np.nan], highest[:-1])), rule
    for fast, plain in zip(followed(*given), follow_support(*given), strict=True):
        np.testing.assert_array_equal(fast, plain)
