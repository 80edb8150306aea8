"""Sweeps: many settings on the same bars, streamed to a table, judged for overfitting."""
