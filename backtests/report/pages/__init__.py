"""Pages, each a function from numbers to one self-contained file."""
