"""Pyfolio's sheets, drawn by a process of its own."""
