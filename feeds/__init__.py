"""Where data enters: sources, validation, calendars, and the combined backtrader feed."""
