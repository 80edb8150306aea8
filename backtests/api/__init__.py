"""What Python has of the house: one function per command, and objects that hold frames.

`import backtests as bt` finds all of it; see the README's "From Python".
"""
