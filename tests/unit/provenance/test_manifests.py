"""The JSON of a store of manifests, which anybody may have written."""

from __future__ import annotations

from typing import Any

import pytest

from egide.provenance.manifests import MAX_STATEMENTS, Store
from egide.provenance.statements import CredentialState, Trust

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def status(code: str, label: str = "a") -> dict[str, str]:
    return {"code": code, "url": f"self#jumbf=/c2pa/{label}/c2pa.signature"}


def actions(*done: Any, **besides: Any) -> dict[str, Any]:
    return {"label": "c2pa.actions.v2", "data": {"actions": list(done), **besides}}


def created(word: str, **besides: Any) -> dict[str, Any]:
    return {"action": "c2pa.created", "digitalSourceType": IPTC + word, **besides}


def store(*, success: list[Any] = [], failure: list[Any] = [], **manifests: Any) -> Store:  # noqa: B006
    """A store whose active manifest is `a`, with these outcomes of the library."""
    results = {"activeManifest": {"success": success, "failure": failure}}
    return Store({"active_manifest": "a", "manifests": manifests, "validation_results": results})


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "text",
        {},
        {"manifests": None},
        {"manifests": {"a": None}, "active_manifest": "a"},
        {"manifests": {"a": {"assertions": 7, "ingredients": "x"}}, "active_manifest": ["a"]},
        {"manifests": {"a": {"assertions": [None, {"label": 1}]}}, "active_manifest": "a"},
        {"manifests": {"a": {"assertions": [{"label": "c2pa.actions", "data": [1]}]}}},
        {"manifests": {"a": {"ingredients": [{"active_manifest": 7}]}}, "active_manifest": "a"},
        {"validation_results": {"activeManifest": [1], "ingredientDeltas": {"x": 1}}},
        {"validation_status": [1, {"code": 5}, {"code": "\n"}], "manifests": {}},
    ],
)
@pytest.mark.parametrize("state", ["Trusted", "Valid", "Invalid", None, "anything"])
def test_strange_shapes_say_nothing(said: object, state: str | None) -> None:
    found = Store(said).credentials(state)
    assert found.declarations == ()
    assert found.signer is None


def test_manifests_that_name_one_another_are_walked_once() -> None:
    link = {"ingredients": [{"active_manifest": "b"}, {"active_manifest": "a"}]}
    both = store(
        success=[status("signingCredential.trusted"), status("signingCredential.trusted", "b")],
        a={**link, "assertions": [actions(created("composite"))]},
        b={**link, "assertions": [actions(created("digitalArt"))]},
    ).credentials("Trusted")
    assert [each.trust for each in both.declarations] == [Trust.SIGNED_TRUSTED] * 2


def test_a_manifest_that_no_other_names_is_mere_text() -> None:
    found = store(
        success=[status("signingCredential.trusted"), status("signingCredential.trusted", "b")],
        a={},
        b={"assertions": [actions(created("digitalCapture"))]},
    ).credentials("Trusted")
    assert [each.trust for each in found.declarations] == [Trust.TEXT]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ([], Trust.SIGNED),
        ([status("signingCredential.trusted", "b")], Trust.SIGNED_TRUSTED),
        ([status("signingCredential.untrusted", "b")], Trust.SIGNED),
        ([{"code": "signingCredential.untrusted", "url": "relative"}], Trust.SIGNED),
        ([status("assertion.dataHash.mismatch", "b")], Trust.TEXT),
        ([status("claimSignature.mismatch", "b"), status("claimSignature.validated", "b")],
         Trust.TEXT),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["validation_status", "validation_results"])
def test_what_was_recorded_of_an_ingredient_counts(
    recorded: list[Any], expected: Trust, shape: str
) -> None:
    told: Any = recorded
    if shape == "validation_results":
        told = {"activeManifest": {"success": recorded, "failure": recorded}}
    found = store(
        success=[status("signingCredential.trusted")],
        a={"ingredients": [{"active_manifest": "b", shape: told}]},
        b={"assertions": [actions(created("digitalCapture"))]},
    ).credentials("Trusted")
    assert [each.trust for each in found.declarations] == [expected]


def test_our_own_finding_overrules_that_a_signer_was_unknown_once() -> None:
    recorded = [status("signingCredential.untrusted", "b")]
    found = store(
        success=[status("signingCredential.trusted"), status("signingCredential.trusted", "b")],
        a={"ingredients": [{"active_manifest": "b", "validation_status": recorded}]},
        b={"assertions": [actions(created("digitalCapture"))]},
    ).credentials("Trusted")
    assert [each.trust for each in found.declarations] == [Trust.SIGNED_TRUSTED]


def test_the_reason_is_the_gravest_failure_in_words() -> None:
    failure = [
        status("signingCredential.untrusted"),
        status("timeStamp.mismatch"),
        status("claimSignature.mismatch"),
    ]
    found = store(failure=failure, a={}).credentials("Invalid")
    assert found.state is CredentialState.INVALID
    assert found.reason == "the signature does not fit what it signs (claimSignature.mismatch)"


def test_a_code_we_do_not_know_is_given_as_it_stands() -> None:
    found = store(failure=[status("cosmic.rays")], a={}).credentials("Invalid")
    assert found.reason == "a check failed (cosmic.rays)"


def test_agents_may_be_named_by_number() -> None:
    manifest = {
        "assertions": [
            actions(
                created("trainedAlgorithmicMedia", softwareAgentIndex=1),
                created("composite", softwareAgentIndex=9),
                softwareAgents=["Pencil", {"name": "Brush", "version": "3"}],
            )
        ]
    }
    found = store(a=manifest).credentials("Valid")
    assert [each.tool for each in found.declarations] == ["Brush 3", None]
    assert found.tools == ("Pencil", "Brush 3")


def test_metadata_under_the_signature_declares_too() -> None:
    data = {"Iptc4xmpExt:DigitalSourceType": f" {IPTC}trainedAlgorithmicMedia"}
    for label in ("c2pa.metadata", "cawg.metadata", "stds.iptc", "c2pa.metadata__2"):
        found = store(a={"assertions": [{"label": label, "data": data}]}).credentials("Valid")
        assert [each.source_type for each in found.declarations] == ["trainedAlgorithmicMedia"]


def test_the_generator_of_an_old_claim_is_a_tool() -> None:
    assert store(a={"claim_generator": "Brush/3"}).credentials("Valid").tools == ("Brush/3",)


def test_text_is_cut_and_put_on_one_line() -> None:
    manifest = {"signature_info": {"issuer": "An\n  Office", "common_name": "x" * 999}}
    signer = store(a=manifest).credentials("Valid").signer or ""
    assert signer.startswith("An Office, xxx")
    assert len(signer) < 300


def test_no_more_is_told_than_a_report_holds() -> None:
    done = [created("digitalArt", softwareAgent=f"tool {n}") for n in range(1000)]
    found = store(a={"assertions": [actions(*done)]}).credentials("Valid")
    assert len(found.declarations) == len(found.tools) == MAX_STATEMENTS
