"""The registry of detectors, and the examples that every detector carries."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from egide.detector import Detector, DetectorSettings, Example, load_detectors
from egide.errors import UsageError
from egide.item import Item
from egide.label import Label
from egide.sniff import Kind
from egide.testing import failing_examples
from tests.unit.detectors import Scripted


class Bare:
    """Has all but `detect`."""

    name, kinds, labels, examples = "bare.v1", frozenset(Kind), frozenset(Label), ()


class Unasked(Scripted):
    """Its examples are dear: they must not be computed to load it."""

    examples = property(lambda self: pytest.fail("the examples were asked for"))

    def __init__(self) -> None:
        self.name, self.kinds, self.labels = "unasked.v2", frozenset(Kind), frozenset(Label)


def misnamed(_settings: DetectorSettings) -> Scripted:
    return Scripted(name="No Version")


def bare(_settings: DetectorSettings) -> Bare:
    return Bare()


def unasked(_settings: DetectorSettings) -> Unasked:
    return Unasked()


def second(_settings: DetectorSettings) -> Scripted:
    return Scripted(name="b.v1")


def first(_settings: DetectorSettings) -> Scripted:
    return Scripted(name="a.v1")


def _installed(monkeypatch: pytest.MonkeyPatch, **factories: str) -> None:
    entries = [
        EntryPoint(name, f"{__name__}:{factory}" if ":" not in factory else factory, "egide")
        for name, factory in factories.items()
    ]

    def entry_points(**_: Any) -> list[EntryPoint]:
        return entries

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_the_shipped_detectors_load() -> None:
    loaded = load_detectors(DetectorSettings())
    assert "known-media.v1" in [one.name for one in loaded]
    assert all(one.kinds and one.labels for one in loaded)


@pytest.mark.parametrize("name", [one.name for one in load_detectors(DetectorSettings())])
def test_examples_come_out_as_they_say(name: str) -> None:
    def factory(settings: DetectorSettings) -> Detector:
        return next(one for one in load_detectors(settings) if one.name == name)

    assert factory(DetectorSettings()).examples
    assert failing_examples(factory) == []


def test_failing_examples_tells_what_was_expected() -> None:
    example = Example(Item.from_bytes(b"x"), frozenset({Label.NCII_KNOWN}), "a copy")
    failures = failing_examples(lambda _: Scripted(examples=(example,)))
    assert failures == ["a copy: expected ncii.known, saw nothing"]


def test_detectors_come_in_the_order_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, beta="second", alpha="first")
    assert [one.name for one in load_detectors(DetectorSettings())] == ["a.v1", "b.v1"]


def test_loading_computes_no_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, unasked="unasked")
    assert [one.name for one in load_detectors(DetectorSettings())] == ["unasked.v2"]


@pytest.mark.parametrize("factory", ["misnamed", "bare"])
def test_what_is_no_detector_is_refused(monkeypatch: pytest.MonkeyPatch, factory: str) -> None:
    _installed(monkeypatch, odd=factory)
    with pytest.raises(UsageError, match=f"{factory} gives no detector with a name like"):
        load_detectors(DetectorSettings())


@pytest.mark.parametrize("value", ["no_such_module:make", f"{__name__}:no_such_name"])
def test_what_cannot_be_loaded_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    _installed(monkeypatch, broken=value)
    with pytest.raises(UsageError, match="'broken'"):
        load_detectors(DetectorSettings())


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("known-media.v1", True),
        ("a.v12", True),
        ("a1-b2.v1", True),
        ("known-media", False),
        ("Known.v1", False),
        ("a.v0", False),
        ("-a.v1", False),
        ("a.v1\n", False),
    ],
)
def test_names_carry_a_version(monkeypatch: pytest.MonkeyPatch, name: str, good: bool) -> None:
    monkeypatch.setitem(globals(), "named", lambda _: Scripted(name=name))
    _installed(monkeypatch, one="named")
    if good:
        assert load_detectors(DetectorSettings())
    else:
        with pytest.raises(UsageError):
            load_detectors(DetectorSettings())
