"""Fuzz targets for files of records: one of every form to damage, and what must hold."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zstandard

from egide.errors import ItemError
from egide.hub.audit.row import Row, rows_of
from egide.hub.audit.run import records_of
from egide.hub.listing import listing_facts
from egide.item import Item
from egide.sniff import Kind
from egide.source import expand
from tests.example_listings import CARD
from tests.listings import civitai_models

SECONDS = 5
_MODELS = list(civitai_models(4, share=0.5))
_TEXTS = [{"id": n, "text": "a lake at dawn", "context": "prompt"} for n in range(3)]


def _lines() -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in [*_MODELS, *_TEXTS])


RECORDS: dict[str, Callable[[], bytes]] = {
    "records-lines": _lines,
    "records-page": lambda: json.dumps({"items": _MODELS, "metadata": {}}, indent=1).encode(),
    "records-gzip": lambda: gzip.compress(_lines(), mtime=0),
    "records-zstandard": lambda: zstandard.compress(_lines()),
    "records-csv": lambda: b'id,text,tags\n1,"a ""lake""\nat dawn","[""a"", 2]"\n2,b,\n',
    "model-card": CARD.encode,
}


def check_records(data: bytes) -> None:
    """Read hostile bytes; AssertionError when the promise of sources or listings is broken."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dump.csv" if data[:3] == b"id," else "dump")
        path.write_bytes(data)
        for item in expand([str(path)]):
            assert item.ref.startswith(str(path))
            if item.problem is not None:
                assert str(item.problem).isprintable()
            elif item.kind is Kind.LISTING:
                _check_listing(item)
            elif item.kind is Kind.TEXT:
                item.text(1 << 20).encode()
                "".join([*item.attributes, *item.attributes.values()]).encode()
        for kept in rows_of(list(records_of([str(path)])), None, excerpts=True):
            assert not isinstance(kept, Row) or kept.key >= 0
            assert "please report" not in repr(kept)
    assert time.monotonic() - began < SECONDS


def _check_listing(item: Item) -> None:
    try:
        said = repr(listing_facts(item))
    except ItemError as error:
        said = str(error)
    said.encode()
    assert "\n" not in said
