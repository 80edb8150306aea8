"""The companies bars and series come from, each behind its real client library.

`registry` is what all vendors of bars promise, and opens one by name.

- Yahoo, through yfinance: `yahoo`; `yahoo_checks` asks whether an answer is whole,
  `yahoo_session` is the HTTP below.
- Crypto exchanges, through ccxt: `exchanges` takes the first that can, `exchange` is one of
  them, `paging` joins its pages, `exchange_client` is the ccxt client below.
- CoinMetrics' community data: `coinmetrics`.
- Series, from FRED, alternative.me and a fund's site: `series_publishers`.

Shared: `request_policy` (addresses, mirrors, waits, retries, who answers) and `http_client` (HTTP).
"""
