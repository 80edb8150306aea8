"""Binance's archive on 127.0.0.1: an S3 listing of several pages, zips and their checksums."""

import hashlib
import io
import zipfile
from contextlib import contextmanager
from urllib.parse import unquote
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from feeds.archive.client import Client
from feeds.archive.folder import ArchiveState
from feeds.archive.pair_table import Held, PairTable, write_table
from feeds.vendors.request_policy import Patience, use_addresses
from tests.feeds.vendors.loopback import HTML, Answer, Server, serving

IMPATIENT = Patience(
    connect_timeout=0.5, read_timeout=5.0, attempts=3, first_wait=0.0, longest_wait=0.0
)
MICROSECONDS_FROM = pd.Timestamp("2025-01-01", tz="UTC")
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def klines(start, closes, *, volume=10.0, quote_volume=None):
    """Return daily bars from `start` on that close at `closes`; they open at the close before."""
    closes = np.asarray(closes, float)
    opens = np.concatenate((closes[:1], closes[:-1]))
    index = pd.date_range(start, periods=closes.size, tz="UTC").as_unit("ns")
    columns = {
        "open": opens,
        "high": np.maximum(opens, closes) * 1.01,
        "low": np.minimum(opens, closes) * 0.99,
        "close": closes,
        "volume": np.full(closes.size, volume),
    }
    columns["quote_volume"] = closes * volume if quote_volume is None else quote_volume
    return pd.DataFrame(columns, index=index)


def csv_of(rows, *, header=False):
    """Return rows as Binance writes them: 12 fields, ms until 2024 and microseconds after."""
    lines = ["open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore"]
    for time, row in rows.iterrows():
        scale = 1_000 if time >= MICROSECONDS_FROM else 1_000_000
        first, last = time.value // scale, (time + pd.Timedelta(days=1)).value // scale - 1
        values = [repr(float(value)) for value in row]
        lines.append(f"{first},{','.join(values[:5])},{last},{values[5]},7,1.0,2.0,0")
    return "\n".join(lines if header else lines[1:]) + "\n"


def zip_of(name, text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.csv"), text)
    return buffer.getvalue()


class FakeArchive:
    """Files by key, served as S3 serves them; `files` may be changed while it runs."""

    def __init__(self, pairs, *, now, page=1000, header_from="2030-01"):
        self.files = {}
        self.page = page
        self.repeats = False
        self.address = ""
        for pair, rows in pairs.items():
            self.add(pair, rows, now=pd.Timestamp(now), header_from=header_from)
        self.server = Server(self.route)

    def add(self, pair, rows, *, now, header_from="2030-01"):
        """Add months that are over by `now` as monthly files, and all days as daily ones."""
        months = rows.index.tz_localize(None).to_period("M")
        for month in months.unique():
            own = rows[months == month]
            over = (month + 1).start_time.tz_localize("UTC") <= now
            if over:
                self.put("monthly", pair, f"{month}", own, header=f"{month}" >= header_from)
            if not over:
                for time, day in own.groupby(own.index):
                    self.put("daily", pair, f"{time:%Y-%m-%d}", day)

    def put(self, kind, pair, period, rows, *, header=False):
        name = f"{pair}-1d-{period}"
        payload = zip_of(name, csv_of(rows, header=header))
        self.put_zip(kind, pair, name, payload)

    def put_zip(self, kind, pair, name, payload):
        key = f"data/spot/{kind}/klines/{pair}/1d/{name}.zip"
        self.files[key] = payload
        digest = hashlib.sha256(payload).hexdigest()
        self.files[f"{key}.CHECKSUM"] = f"{digest}  {name}.zip\n".encode()

    def route(self, request):
        if request.path == "/listing":
            return self.listing(request.query)
        key = unquote(request.path.removeprefix("/files/"))
        if key in self.files:
            return Answer(self.files[key], content_type="application/zip")
        return Answer(HTML, status=404, content_type="text/html")

    def listing(self, query):
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        delimiter = query.get("delimiter", "")
        entries = {}
        for key in sorted(self.files):
            rest = key[len(prefix) :]
            if not key.startswith(prefix):
                continue
            head, found, _ = rest.partition(delimiter) if delimiter else (rest, "", "")
            entries[f"{prefix}{head}{delimiter}" if found else key] = bool(found)
        after = [name for name in entries if name > marker]
        shown = after[: self.page]
        if self.repeats and marker in entries:
            shown = [marker, *shown]
        return Answer(self.page_of(shown, entries, cut=len(after) > self.page, folders=delimiter))

    def page_of(self, shown, entries, *, cut, folders):
        parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}">']
        parts.append(f"<IsTruncated>{str(cut).lower()}</IsTruncated>")
        if cut and folders:
            parts.append(f"<NextMarker>{escape(shown[-1])}</NextMarker>")
        for name in shown:
            if entries[name]:
                parts.append(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>")
            else:
                tag = hashlib.md5(self.files[name], usedforsecurity=False).hexdigest()
                parts.append(
                    f"<Contents><Key>{escape(name)}</Key>"
                    f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                    f"<ETag>&quot;{tag}&quot;</ETag><Size>{len(self.files[name])}</Size></Contents>"
                )
        return ("".join(parts) + "</ListBucketResult>").encode()

    def asked(self, ending=".zip"):
        """Return the names of the files asked for that end so, in order."""
        paths = [request.path for request in self.server.requests]
        return [path.rpartition("/")[2] for path in paths if path.endswith(ending)]

    def forget(self):
        self.server.requests.clear()


@contextmanager
def serving_archive(archive):
    """Serve it, and yield a client that asks it instead of Binance."""
    with serving(archive.server) as address:
        archive.address = address
        use_addresses(
            {"binance_archive": f"{address}/files", "binance_listing": f"{address}/listing"}
        )
        try:
            yield Client(IMPATIENT)
        finally:
            use_addresses({})


def fill(folder, pairs, *, checked):
    """Leave pairs in a folder as a download does, without asking anybody."""
    with folder.writing():
        for pair, rows in pairs.items():
            months = rows.index.tz_localize(None).to_period("M").unique()
            digest = hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()
            members = {f"{month}": Held("", digest) for month in months}
            write_table(folder.pairs, PairTable(pair, folder.timeframe, rows, members))
        folder.write_state(ArchiveState(tuple(pairs), dict.fromkeys(pairs, checked)))
        folder.build()
