"""From orders to accounts: backtrader, its compiled twin, and what a run is compared with."""
