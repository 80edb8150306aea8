"""Figures taken from a result: metrics, drawdowns, trades, and the verdict in words."""
