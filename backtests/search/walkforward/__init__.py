"""The walk-forward: choose on past bars, trade the next, and see what was left."""
