"""What may be said of a run: every sentence, chosen here from numbers alone."""
