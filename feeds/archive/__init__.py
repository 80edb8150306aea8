"""Binance's public archive: every pair it ever listed, delisted ones included.

`client` asks it over HTTP, also which files there are, `zip_members` fetches, verifies and reads
one zip, `pair_table` is what is kept of one pair, `universe` all pairs in one file, and `update`
brings them up to date.

Only pairs in USDT are taken: it is the one quote that has been there since 2017. The same
coin's pairs in BUSD, FDUSD, USDC or other coins are markets of their own, whose trades are
not counted in its dollar volume; it would be larger with them.
"""
