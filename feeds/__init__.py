"""Where data enters: from a name to validated bars and series, and nothing else.

Read from the top; each line uses only what stands below it.

- Commands: `download` fills the cache ahead, `inspect` shows it, `doctor` asks who answers;
  `commands` is what they share.
- One call for a run: `sources` for bars, `series_sources` for series, `universe` for baskets.
- Sources: `live` (vendors through the cache), `files` (a folder), `sample` (the bundled months).
- Behind `live`: `vendors` (Yahoo, exchanges, CoinMetrics, publishers of series) and `cache`
  (tables that survive crashes).
- Judging and shaping: `history` joins older sources on, `checks` finds gaps, frozen prices and
  stale ends, `known_highs` tells a file that begins below a record, `reused` tells coins of one
  ticker apart, `resample` makes longer bars.
- Series: `live_series`, `fund` (a fund's flows), `net_liquidity`, `unprofitable` (press figures).
- The border: whatever a source gave (`table`) becomes bars in `border`; `stamps`, `hours` and
  `spacing` say which bar a row is, `draft` is a table on its way, `wording` spells it out.
- Values: `bars`; `series` validates its own; `releases` says when a series was published.
- Time: `sessions` (when a bar is over), `calendar_table` (New York's opens and closes),
  `alignment` (what is known when).
- Ground: `instruments`, `errors`, `clock`, `folders`.

`combined` hands bars and signals to backtrader as one feed.
"""
