"""Where data enters: from a name to validated bars and series, and nothing else.

Read from the top; each line uses only what stands below it.

- Commands: `download` fills the cache ahead, `inspect` shows it; `commands` is what they share.
- One call for a run: `sources` for bars, `series_sources` for series, `universe` for baskets.
- Sources: `live` (vendors through the cache), `files` (a folder), `sample` (the bundled months).
- Behind `live`: `vendors` (Yahoo, exchanges, CoinMetrics, publishers of series) and `cache`
  (tables that survive crashes).
- Judging and shaping: `history` joins older sources on, `checks` finds gaps and stale ends,
  `known_highs` tells a file that begins below a record, `resample` makes longer bars.
- Series: `live_series`, `fund` (a fund's flows), `net_liquidity`, `unprofitable` (press figures).
- Values: `bars` and `series` validate, `releases` says when a series was published.
- Time: `sessions` (when a bar is over), `calendar_table` (New York's opens and closes),
  `alignment` (what is known when).
- Ground: `instruments`, `errors`, `clock`, `folders`.

`combined` hands bars and signals to backtrader as one feed.
"""
