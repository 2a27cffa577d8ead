"""Signed notes: as C2SP writes them, and what is not one."""

from __future__ import annotations

import pytest

from egide.desk.log_checkpoint import Checkpoint
from egide.desk.log_note import Signer, Verifier, split
from egide.errors import LogError, UsageError

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
    "fqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example of Go's package golang.org/x/mod/sumdb/note, which the format is from."""


def test_notes_are_those_of_go() -> None:
    signer = Signer.parse(GO_SECRET)
    assert str(signer.verifier) == GO_KEY
    assert signer.secret_text() == GO_SECRET
    assert signer.sign(GO_TEXT) == GO_NOTE
    assert Verifier.parse(GO_KEY).signed(GO_NOTE)


def test_what_was_changed_is_not_signed() -> None:
    verifier = Verifier.parse(GO_KEY)
    assert not verifier.signed(GO_NOTE.replace("problem,", "problem;"))
    assert not verifier.signed(GO_NOTE.replace("— PeterNeumann", "— Peter"))
    assert not Signer("PeterNeumann", b"o" * 32).verifier.signed(GO_NOTE)


def test_signatures_of_others_are_passed_over() -> None:
    other = Signer("witness.example", b"w" * 32)
    line = other.sign(GO_TEXT).partition("\n\n")[2]
    both = GO_NOTE + line
    assert Verifier.parse(GO_KEY).signed(both)
    assert other.verifier.signed(both)
    assert [name for name, _ in split(both)[1]] == ["PeterNeumann", "witness.example"]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        GO_NOTE.removesuffix("\n"),
        GO_NOTE.replace("— ", "- "),
        GO_NOTE.replace("x08go", "x08g "),
        GO_NOTE.replace("If", "I\tf"),
        GO_NOTE + "\n",
        GO_NOTE + "— x !!\n",
        GO_NOTE + GO_NOTE.partition("\n\n")[2] * 16,
        "x" * 100_001,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(LogError) as error:
        split(note)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY[:-4],
        GO_KEY.replace("ARpc", "BRpc"),
        GO_KEY + "=",
        GO_SECRET,
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="no key of a log"):
        Verifier.parse(key)
    if key != GO_SECRET:
        with pytest.raises(UsageError):
            Signer.parse(f"PRIVATE+KEY+{key}")


@pytest.mark.parametrize("name", ["a b", "a+b", "a\n", "é", "x" * 201])
def test_a_log_has_a_plain_name(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a log's name"):
        Signer.new(name)


def test_a_log_without_a_name_is_called_by_its_key() -> None:
    names = {Signer.new().verifier.name for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith("egide-desk/") for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        "log\n01\nAAAA\n",
        "log\n-1\nAAAA\n",
        "log\n1\nAAAA\n",
        "log\n1\n!!\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LogError):
        Checkpoint.parse(Signer("log", b"s" * 32).sign(text))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    signer = Signer("log", b"s" * 32)
    note = signer.sign("other\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
    assert Checkpoint.parse(note).size == 0
    with pytest.raises(LogError, match="not signed by the key of this log"):
        Checkpoint.opened(note, [signer.verifier])
