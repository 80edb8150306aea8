"""The companies bars and series come from, each behind its real client library.

`protocol` is what all vendors of bars promise, and the way to validation; `registry` opens one by
name.

- Yahoo, through yfinance: `yahoo`; `yahoo_checks` asks whether an answer is whole,
  `yahoo_session` is the HTTP below.
- Crypto exchanges, through ccxt: `exchanges` takes the first that can, `exchange` is one of
  them, `paging` joins its pages, `exchange_client` is the ccxt client below.
- CoinMetrics' community data: `coinmetrics`. FRED, plain CSV: `fred`.

Shared: `patience` (waits, retries, who answers), `wire` (HTTP), `addresses` (mirrors).
"""
