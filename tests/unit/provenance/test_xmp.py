"""XMP: properties by their namespaces, and nothing that XML could do beyond that."""

from __future__ import annotations

import pytest

from egide.errors import CorruptItem, LimitExceeded, TooManyBytes, UnsafeItem
from egide.provenance.carriers_gathering import Carried, Gathering, Limits
from egide.provenance.xmp import read_xmp
from tests.carriers import xmp
from tests.growth import within

MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
LAST = "DigitalSourceType"
SOURCE = f"Iptc4xmpExt:{LAST}"


def carried(packet: str | bytes, limits: Limits | None = None) -> Carried:
    found = Gathering(limits or Limits())
    read_xmp(packet.encode() if isinstance(packet, str) else packet, found)
    return found.finish("xmp")


def texts(packet: str | bytes) -> dict[str, str]:
    result = carried(packet)
    assert result.faults == ()
    return {block.key: block.text for block in result.blocks}


@pytest.mark.parametrize("attributes", [False, True])
def test_properties_are_read_as_elements_and_as_attributes(attributes: bool) -> None:
    said = {SOURCE: MADE, "TC260:AIGC": '{"Label":"1"}', "xmp:CreatorTool": "A <tool> & more"}
    assert texts(xmp(said, attributes=attributes)) == said


def test_a_block_is_named_after_its_property() -> None:
    (block,) = carried(xmp({"dc:description": "a lake"})).blocks
    assert (block.where, block.key, block.text) == (
        "xmp:dc:description",
        "dc:description",
        "a lake",
    )


def test_the_namespace_decides_and_not_the_prefix() -> None:
    packet = xmp({SOURCE: MADE}).replace(":Iptc4xmpExt=", ":zzz=").replace(SOURCE, "zzz:" + LAST)
    assert "Iptc4xmpExt:" not in packet
    assert texts(packet) == {SOURCE: MADE}
    stranger = xmp({SOURCE: MADE}).replace("http://iptc.org/std", "http://example.org/std")
    assert texts(stranger) == {}


@pytest.mark.parametrize(
    "space",
    [
        "http://www.tc260.org.cn/ns/AIGC/1.0",
        "https://www.tc260.org.cn/ns/AIGC/1.0/",
        "http://www.tc260.org.cn/ns/AIGC/1.0/#",
    ],
)
def test_namespaces_are_known_however_they_end(space: str) -> None:
    packet = xmp({"TC260:AIGC": "{}"}).replace("http://www.tc260.org.cn/ns/AIGC/1.0/", space)
    assert texts(packet) == {"TC260:AIGC": "{}"}


def test_a_resource_is_a_value() -> None:
    packet = xmp({SOURCE: ""}).replace(
        f"<{SOURCE}></{SOURCE}>", f'<{SOURCE} rdf:resource="{MADE}"/>'
    )
    assert texts(packet) == {SOURCE: MADE}


def test_of_languages_the_default_is_taken() -> None:
    alternatives = (
        '<dc:title><rdf:Alt><rdf:li xml:lang="fr">un lac</rdf:li>'
        '<rdf:li xml:lang="x-default">a lake</rdf:li></rdf:Alt></dc:title>'
    )
    assert texts(xmp({}, more=alternatives)) == {"dc:title": "a lake"}


def test_lists_are_joined() -> None:
    listed = (
        "<dc:subject><rdf:Bag><rdf:li>lake</rdf:li><rdf:li>dawn</rdf:li></rdf:Bag></dc:subject>"
    )
    assert texts(xmp({}, more=listed)) == {"dc:subject": "lake, dawn"}


def test_properties_of_what_is_inside_are_not_those_of_the_picture() -> None:
    inside = '<dc:relation rdf:parseType="Resource"><dc:title>another</dc:title></dc:relation>'
    assert texts(xmp({"dc:description": "a lake"}, more=inside)) == {"dc:description": "a lake"}


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf16_is_read(codec: str) -> None:
    assert texts(xmp({"dc:description": "été 湖"}).encode(codec)) == {"dc:description": "été 湖"}


def test_padding_around_the_packet_is_no_fault() -> None:
    packet = xmp({"dc:description": "a lake"}).encode()
    assert texts(b"\xef\xbb\xbf \n" + packet + b" \n" * 500 + bytes(9)) == {
        "dc:description": "a lake"
    }


def test_entities_are_refused_and_said() -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 if n else str()};" * 10}">' for n in range(12))
        + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="&a11;"/></rdf:RDF>'
    )
    result = within(0.1, lambda: carried(bomb))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [UnsafeItem]


def test_a_document_elsewhere_is_not_fetched() -> None:
    said = '<!DOCTYPE r SYSTEM "file:///etc/hostname">'
    result = carried(said + xmp({"dc:description": "a lake"}).partition("?>")[2])
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [UnsafeItem]


def test_what_stands_before_the_damage_is_kept() -> None:
    packet = xmp({"dc:description": "a lake", "xmp:CreatorTool": "a tool"})
    cut = packet[: packet.index("</xmp:CreatorTool>")] + "<</rdf:RDF>"
    result = carried(cut)
    assert [block.key for block in result.blocks] == ["dc:description"]
    assert [type(fault) for fault in result.faults] == [CorruptItem]
    assert "\n" not in str(result.faults[0])


@pytest.mark.parametrize("packet", ["", "no XML at all", "<", "<x/>", "\0" * 40, "<?xml?>"])
def test_what_is_no_packet_has_no_properties(packet: str) -> None:
    assert carried(packet).blocks == ()


def test_an_unknown_encoding_is_a_fault() -> None:
    result = carried(b'<?xml version="1.0" encoding="x-unheard-of"?><a/>')
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_depth_costs_no_stack() -> None:
    deep = xmp({}, more="<dc:a>" * 200_000 + "</dc:a>" * 200_000)
    assert within(3, lambda: carried(deep)).faults == ()


def test_elements_without_number_end() -> None:
    result = carried(xmp({"dc:source": "here"}, more="<dc:a/>" * 1_000_000))
    assert [block.text for block in result.blocks] == ["here"]
    assert [type(fault) for fault in result.faults] == [LimitExceeded]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_attributes_without_number_are_not_parsed(codec: str) -> None:
    many = " ".join(f'a{n}=""' for n in range(1_000_000))
    packet = xmp({"dc:source": "here"}, more=f"<dc:a {many}/>").encode(codec)
    result = within(1, lambda: carried(packet))
    assert [type(fault) for fault in result.faults] == [LimitExceeded]


def test_the_codecs_of_python_are_not_asked() -> None:
    head = b'<?xml version="1.0" encoding="cp037"?>'
    result = carried(head + xmp({"dc:source": "here"}).replace("\ufeff", "").encode("cp037"))
    assert [type(fault) for fault in result.faults] == [CorruptItem]
    assert result.blocks == ()


def test_a_long_value_is_over_the_limit() -> None:
    result = carried(xmp({"dc:title": "a" * 2000, "dc:source": "b"}), Limits(block=1000))
    assert [block.key for block in result.blocks] == ["dc:source"]
    assert [type(fault) for fault in result.faults] == [TooManyBytes]
