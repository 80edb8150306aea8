"""Where decisions are made: signals, position rules, sizing, and the strategy class."""
