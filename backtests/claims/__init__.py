"""Claims and events: what followed them, and whether that is more than luck."""
