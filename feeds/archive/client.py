"""HTTP to the archive: patient, several threads at once, and S3's listing of its files."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote
from xml.etree import ElementTree

from feeds.errors import DataError
from feeds.vendors.request_policy import PassingError, Patience, address_of

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

REMEDY: Final = "Check the network and run it again: what has arrived is not fetched again."
# How a proxy's page begins, and none of the archive's answers.
MARKUP: Final = (b"<!doctype", b"<html")


class Client:
    """The archive's two servers: one serves the files, the other lists them.

    Each thread has its own session, so that connections are kept and none is shared.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._own = threading.local()

    def listing(self, query: Mapping[str, str]) -> bytes:
        """Return a page of the listing, asked once; see `patiently`."""
        return self._body(address_of("binance_listing"), query, what="the listing")

    def file(self, key: str) -> bytes:
        """Return a file of the archive, asked once; see `patiently`."""
        address = f"{address_of('binance_archive')}/{quote(key)}"
        return self._body(address, {}, what=key.rpartition("/")[2])

    def patiently(self, once: Callable[[], T], *, subject: str) -> T:
        """Return what `once` returns, asking again where that may help.

        Raises
        ------
        Unreachable
            If it never came whole.
        NotServed, DataError
            If the archive refuses, or does not have it.
        """
        return self._patience.call(once, subject=f"binance archive {subject}", remedy=REMEDY)

    def _body(self, address: str, query: Mapping[str, str], *, what: str) -> bytes:
        import requests

        from feeds.vendors.http_client import SUCCESS, failure, refusal, retry_after

        subject = f"binance archive {what}"
        try:
            answer = self._session().get(address, params=dict(query))
        except (requests.RequestException, ValueError) as error:
            raise failure(error, subject, REMEDY) from error
        if answer.status_code in SUCCESS:
            return bytes(answer.content)
        raise refusal(answer.status_code, retry_after(answer), subject, REMEDY)

    def _session(self) -> "requests.Session":
        import requests

        from feeds.vendors.http_client import mount

        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            mount(session, self._patience, is_data=_is_no_page)
        return session


def _is_no_page(body: bytes) -> bool:
    return not body.lstrip()[:16].lower().startswith(MARKUP)


@dataclass(frozen=True, slots=True)
class File:
    """One file as the listing describes it; `etag` changes when its content does."""

    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `next_marker` is where the next one begins, empty on the last."""

    files: tuple[File, ...]
    folders: tuple[str, ...]
    next_marker: str


class ArchiveListing:
    """The archive's table of contents. What stands on two pages is returned once."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders right below `prefix`, in the archive's order."""
        pages = self._pages({"delimiter": "/", "prefix": prefix})
        found = (folder for page in pages for folder in page.folders)
        return [folder[len(prefix) :].rstrip("/") for folder in dict.fromkeys(found)]

    def files(self, prefix: str, *, after: str = "") -> list[File]:
        """Return the files whose key begins with `prefix` and comes after `after`."""
        pages = self._pages({"prefix": prefix}, marker=after)
        return list({file.key: file for page in pages for file in page.files}.values())

    def _pages(self, query: dict[str, str], marker: str = "") -> Iterator[Page]:
        while True:
            asked = query | ({"marker": marker} if marker else {})
            page = self._client.patiently(
                partial(self._page, asked), subject=f"listing of {query['prefix']}"
            )
            yield page
            if not page.next_marker:
                return
            if page.next_marker <= marker:
                raise DataError(
                    f"binance archive: the listing of {query['prefix']} does not get past "
                    f"{marker!r}. Try again later, or another mirror."
                )
            marker = page.next_marker

    def _page(self, query: dict[str, str]) -> Page:
        return read_page(self._client.listing(query))


def read_page(body: bytes) -> Page:
    """Return a page as it was read; S3 names the next marker only where folders are asked for.

    Raises
    ------
    PassingError
        If it is not a whole page of a listing.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # S3 sends none: no entity is expanded
        raise PassingError("the listing is no listing")
    try:
        tree = ElementTree.fromstring(body)  # noqa: S314 - without entities nothing can grow
    except ElementTree.ParseError as error:
        raise PassingError("the listing is no XML") from error
    if _name(tree) != "ListBucketResult":
        raise PassingError("the listing is no listing")
    files = tuple(
        File(_text(each, "Key"), _text(each, "ETag").strip('"')) for each in _all(tree, "Contents")
    )
    folders = tuple(_text(each, "Prefix") for each in _all(tree, "CommonPrefixes"))
    if _text(tree, "IsTruncated").lower() != "true":
        return Page(files, folders, "")
    last = max((*(file.key for file in files), *folders), default="")
    next_marker = _text(tree, "NextMarker") or last
    if not next_marker:
        raise PassingError("the listing breaks off")
    return Page(files, folders, next_marker)


def _all(tree: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [child for child in tree if _name(child) == name]


def _text(tree: ElementTree.Element, name: str) -> str:
    return next((child.text or "" for child in tree if _name(child) == name), "")


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]  # without the namespace, which mirrors leave out
