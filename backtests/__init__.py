"""Where runs are made and judged.

The commands: `run`, `study` (claims and events), `sweep`, `walkforward`, `compare`. A run goes
through `config` (settings), `inputs` (bars and series), `gates` and `market` (what is known
when), `tape` (the engine's lines), `engine` or its twin `fast`, and `baselines` (what to compare
with), all of it in `backtest`. Then `analysis` takes figures from it and `report` leaves them in
a folder; `evidence` and `sweep` do both for studies and for many runs.
"""
