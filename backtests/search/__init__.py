"""Many settings on the same bars: sweeps, their judgement, and walk-forward."""
