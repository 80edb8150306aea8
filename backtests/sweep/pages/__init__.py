"""The sheet of a sweep: the best rows, the surface they stand on, and the bars."""
