"""The figures of trials: what they share is worked out once, the rest is compiled."""
