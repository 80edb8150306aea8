"""Where data enters: from a name to validated bars and series, and nothing else.

Read from the top; each line uses only what stands below it.

- Commands: `download` fills the cache ahead, `cached` shows it, `doctor` asks who answers, `read`
  says what is made of a file; `commands` is what they share.
- One call for a run: `sources` for bars, `series_sources` for series, `universe` for baskets.
- Sources: `live` (vendors through the cache), `files` (a folder), `sample` (the bundled months).
- Behind `live`: `vendors` (Yahoo, exchanges, CoinMetrics, publishers of series), `archive`
  (Binance's, dead coins included) and `cache` (tables that survive crashes).
- Judging and shaping: `history` joins older sources on, `checks` finds gaps, frozen prices and
  stale ends, `record_highs` tells a file that begins below a record.
- Series: `fund_flows`, `derived_series` (net liquidity, shares from press figures).
- Validation: whatever a source gave (`raw_table`) becomes bars in `validation`; `timestamps` and
  `bar_spacing` say which bar a row is, `message_text` spells it out; `dataframes` reads a
  DataFrame of one's own.
- Values: `bars`; `series` validates its own; `releases` says when a series was published.
- Time: `sessions` (now, New York's opens and closes, when a bar is over, what is known when).
- Ground: `instruments`, `errors`, `folders`.

`combined` hands bars and signals to backtrader as one feed.
"""
