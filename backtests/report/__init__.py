"""What a reader gets: the terminal's summary, the results folder, and the tearsheet."""
