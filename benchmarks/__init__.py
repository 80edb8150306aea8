"""Speed, measured against the peer in one run and given as a ratio."""
