"""What a person takes along of her case over HTTP."""

from __future__ import annotations

from typing import Any

from egide.desk.log_note import Verifier
from egide.desk.log_proof import InclusionProof
from tests.unit.web.conftest import Opens, Serving

NOTICE = {
    "jurisdiction": "EU",
    "role": "self",
    "statement": "That is me, and I never agreed.",
    "good_faith": True,
    "signature": "Ann Example",
    "locations": [{"url": "https://platform.example/p/1"}],
}


def sent(serving: Serving, **changes: Any) -> dict[str, Any]:
    answer = serving.client.post("/v1/notices", json=NOTICE | changes)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def test_all_that_is_held_is_handed_to_who_knows_number_and_pin(serving: Serving) -> None:
    mine = sent(serving)
    other = sent(
        serving, signature="Bo Example", statement="Mine.", locations=[{"content_id": "9"}]
    )
    url = f"/v1/notices/{mine['case']}/export"
    answer = serving.client.get(url, headers={"X-Case-Pin": mine["pin"]})
    assert answer.status_code == 200
    held = answer.json()
    assert held["schema"] == "egide.export/1"
    assert held["events"][0]["words"]["signature"] == "Ann Example"
    assert "Bo Example" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    (receipt,) = [text for name, text in held["log"].items() if name == "event-0.tlog-proof"]
    proved, _ = InclusionProof.parse(receipt).check([Verifier.parse(held["log"]["log.pub"])])
    assert (proved["case"], proved["kind"]) == (mine["case"], "received")
    for pin in ("", "0" * 10, other["pin"]):
        wrong = serving.client.get(url, headers={"X-Case-Pin": pin})
        assert wrong.status_code == 404
        assert "Ann" not in wrong.text


def test_a_log_that_cannot_be_proved_from_keeps_nobody_from_what_is_hers(opens: Opens) -> None:
    serving = opens()
    mine = sent(serving)
    url, pin = f"/v1/notices/{mine['case']}/export", {"X-Case-Pin": mine["pin"]}
    assert serving.client.get(url, headers=pin).json()["log"] is not None
    (serving.home.path / "log.key").unlink()
    answer = serving.client.get(url, headers=pin)
    assert answer.status_code == 200
    assert answer.json()["log"] is None
    assert answer.json()["events"][0]["words"]["signature"] == "Ann Example"
