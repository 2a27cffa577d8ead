"""`egide scan` as its users meet it: exit codes, streams, formats, lists, interruptions."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests import pictures
from tests.acceptance.conftest import COPY, EGIDE, KNOWN, OTHER, Egide

Write = Callable[[dict[str, bytes]], None]

TEXT = b"words\n"
CUT = OTHER[: len(OTHER) // 2]
REVIEW_ALL = "policy: mine\nrules:\n- {rule: look, when: {label: ncii.known}, action: review}\n"
ESCALATE_ALL = "policy: mine\nrules:\n- {rule: up, when: {label: ncii.known}, action: escalate}\n"


# ── exit codes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.jpg": OTHER}, 0),
        ({"a.jpg": OTHER, "b.jpg": OTHER}, 0),
        ({"a.jpg": COPY}, 1),
        ({"a.jpg": OTHER, "b.jpg": COPY}, 1),
        ({"a.jpg": COPY, "b.jpg": CUT, "c.txt": TEXT}, 1),
        ({"a.jpg": CUT}, 3),
        ({"a.jpg": b""}, 3),
        ({"a.jpg": TEXT}, 3),
        ({"a.jpg": OTHER, "b.jpg": b""}, 3),
        ({"a.jpg": OTHER, "b.txt": TEXT}, 0),
        ({"a.jpg": OTHER, "b.bin": b"\0\1\2"}, 3),
        ({"a.txt": TEXT, "b.jpg": b""}, 3),
        ({"a.txt": TEXT}, 0),
        ({"a.txt": TEXT, "b.bin": b"\0\1\2"}, 3),
        ({"b.bin": b"\0\1\2"}, 4),
        ({}, 4),
    ],
)
def test_the_exit_code_says_what_came_of_it(
    egide: Egide, write: Write, files: dict[str, bytes], code: int
) -> None:
    Path("d").mkdir()
    write({f"d/{name}": data for name, data in files.items()})
    done = egide("scan", "d")
    assert done.code == code
    assert done.refs == [f"d/{name}" for name in sorted(files)]


def test_an_error_alone_is_never_allowed_and_never_a_finding(egide: Egide, write: Write) -> None:
    write({"a.jpg": b"", "b.jpg": CUT, "c.jpg": TEXT})
    for limit in ("review", "block", "escalate"):
        done = egide("scan", "a.jpg", "b.jpg", "c.jpg", "--fail-on", limit)
        assert done.code == 3
        assert [line["action"] for line in done.lines] == ["review"] * 3


@pytest.mark.parametrize(
    ("policy", "limit", "code"),
    [
        (None, "review", 1),
        (None, "block", 1),
        (None, "escalate", 0),
        (REVIEW_ALL, "review", 1),
        (REVIEW_ALL, "block", 0),
        (REVIEW_ALL, "escalate", 0),
        (ESCALATE_ALL, "escalate", 1),
    ],
)
def test_fail_on_says_from_which_action_on_it_is_a_finding(
    egide: Egide, write: Write, policy: str | None, limit: str, code: int
) -> None:
    write({"d/a.jpg": COPY, "mine.yaml": (policy or "").encode()})
    options = ["--policy", "mine.yaml"] if policy else []
    assert egide("scan", "d", "--fail-on", limit, *options).code == code


def test_a_finding_under_the_limit_does_not_hide_an_error(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": COPY, "d/b.jpg": b""})
    assert egide("scan", "d", "--fail-on", "escalate").code == 3


# ── wrong usage ─────────────────────────────────────────────────────────────────────────────────

BAD: list[tuple[list[str], dict[str, str], str]] = [
    ([], {}, "Missing argument"),
    (["none.jpg"], {}, "'none.jpg': no such file or folder; nothing was scanned"),
    (["a.jpg", "none.jpg"], {}, "nothing was scanned"),
    ([""], {}, "nothing was scanned"),
    (["x" * 5000], {}, "nothing was scanned"),
    (["a.jpg", "--nonsense"], {}, "No such option"),
    (["a.jpg", "--bank", "none"], {}, "No such bank: 'none'"),
    (["a.jpg", "--bank", "hosted"], {}, "library"),
    (["a.jpg", "--policy", "none.yaml"], {}, "none.yaml"),
    (["a.jpg", "--policy", "."], {}, "."),
    (["a.jpg", "--policy", "bad.yaml"], {}, "bad.yaml, line 3: 'words' is not one of"),
    (["a.jpg", "--fail-on", "allow"], {}, "--fail-on takes one of review, block, escalate"),
    (["a.jpg", "--fail-on", "nonsense"], {}, "--fail-on"),
    (["a.jpg", "--format", "xml"], {}, "--format takes one of table, jsonl, html, sarif"),
    (["a.jpg", "--format", "html"], {}, "--format html needs --out FILE.html"),
    (["a.jpg", "--format", "sarif"], {}, "--format sarif needs --out FILE.sarif"),
    (["a.jpg", "--out", "none/r.html"], {}, "cannot write none/r.html"),
    (["a.jpg", "--out", "."], {}, "."),
    (["a.jpg", "--threshold", "64"], {}, "--threshold"),
    (["a.jpg", "--threshold", "-1"], {}, "--threshold"),
    (["a.jpg", "--jobs", "0"], {}, "--jobs"),
    (["a.jpg", "--jobs", "many"], {}, "--jobs"),
    (["a.jpg", "--baseline", "none.jsonl"], {}, "none.jsonl"),
    (["a.jpg", "--baseline", "bad.yaml"], {}, "line 1"),
    (["a.jpg", "--home", "a.jpg"], {}, "a.jpg"),
    (["a.jpg"], {"EGIDE_JOBS": "many"}, "EGIDE_JOBS"),
    (["a.jpg"], {"EGIDE_THRESHOLD": "99"}, "EGIDE_THRESHOLD"),
    (["a.jpg"], {"EGIDE_FAIL_ON": "nonsense"}, "--fail-on"),
    (["a.jpg"], {"EGIDE_FORMAT": "xml"}, "--format"),
    (["a.jpg"], {"EGIDE_BANK": "none"}, "No such bank"),
    (["a.jpg"], {"EGIDE_POLICY": "bad.yaml"}, "bad.yaml, line 3"),
    (["a.jpg"], {"EGIDE_MAX_BYTES": "lots"}, "EGIDE_MAX_BYTES='lots'"),
    (["a.jpg"], {"EGIDE_MAX_SECONDS": "-1"}, "EGIDE_MAX_SECONDS"),
]


@pytest.mark.parametrize(("args", "environment", "says"), BAD)
def test_wrong_usage_scans_nothing_and_says_why_in_a_line(
    egide: Egide, write: Write, args: list[str], environment: dict[str, str], says: str
) -> None:
    bad = b"policy: p\nrules:\n- {rule: r, mode: words, when: {kind: image}, action: block}\n"
    write({"a.jpg": COPY, "bad.yaml": bad})
    done = egide("scan", *args, given=environment)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert "Traceback" not in done.err


def test_names_in_messages_cannot_move_the_cursor(egide: Egide) -> None:
    assert "\x1b" not in egide("scan", "\x1b[2Jnone").err


# ── streams and formats ─────────────────────────────────────────────────────────────────────────


def test_a_pipe_gets_json_lines_and_nothing_else(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": COPY, "d/b.jpg": OTHER, "d/c.jpg": b""})
    done = egide.spawn("scan", "d")
    schema = Path(__file__).parents[2] / "src/egide/report/verdict.schema.json"
    for line in done.lines:
        jsonschema.validate(line, json.loads(schema.read_text()))
    assert [line["action"] for line in done.lines] == ["block", "allow", "review"]
    assert done.err == ""
    assert done.lines[0]["findings"][0]["evidence"]["entry_ref"] == "***"


def test_reveal_shows_the_reference(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    revealed = egide("scan", "a.jpg", "--reveal").lines[0]["findings"][0]["evidence"]
    assert revealed["entry_ref"] == "case 17"


def test_a_terminal_gets_a_table(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": COPY, "d/b.jpg": OTHER})
    code, seen = egide.on_terminal("scan", "d")
    assert code == 1
    assert re.search(r"block.*d/a\.jpg +known in bank demo", seen)
    assert "\x1b[" in seen
    assert "2 items in" in seen
    assert "schema" not in seen


def test_no_color_is_honoured(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    assert "\x1b[3" not in egide.on_terminal("scan", "a.jpg", NO_COLOR="1")[1]


@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_the_format_may_be_asked_for(egide: Egide, write: Write, format_: str) -> None:
    write({"a.jpg": COPY})
    assert egide("scan", "a.jpg", "-f", format_).out.startswith("{") is (format_ == "jsonl")


def test_out_tells_the_format_by_its_suffix_and_the_default_is_printed_still(
    egide: Egide, write: Write
) -> None:
    write({"a.jpg": COPY})
    done = egide("scan", "a.jpg", "--out", "r.html", "-o", "r.sarif", "-o", "r.jsonl")
    assert done.code == 1
    assert done.refs == ["a.jpg"]
    assert Path("r.html").read_text().lower().startswith("<!doctype html>")
    assert json.loads(Path("r.sarif").read_text())["version"] == "2.1.0"
    assert Path("r.jsonl").read_text() == done.out


def test_format_with_out_of_that_format_prints_nothing(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    for format_ in ("html", "sarif", "jsonl"):
        done = egide("scan", "a.jpg", "--format", format_, "--out", f"r.{format_}")
        assert (done.code, done.out) == (1, "")
        assert Path(f"r.{format_}").stat().st_size


def test_format_names_the_format_of_an_out_whose_suffix_says_nothing(
    egide: Egide, write: Write
) -> None:
    write({"a.jpg": COPY})
    assert egide("scan", "a.jpg", "--format", "sarif", "--out", "report").out == ""
    assert json.loads(Path("report").read_text())["version"] == "2.1.0"


def test_format_with_an_out_of_another_format_gives_both(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    done = egide("scan", "a.jpg", "--format", "table", "--out", "r.jsonl")
    assert "known in bank demo" in done.out
    assert json.loads(Path("r.jsonl").read_text())["action"] == "block"


def test_reports_are_for_their_owner_alone(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY, "before.jsonl": b"old"})
    Path("before.jsonl").chmod(0o644)
    egide("scan", "a.jpg", "-o", "r.html", "-o", "r.sarif", "-o", "before.jsonl")
    for name in ("r.html", "r.sarif", "before.jsonl"):
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600
    assert not Path("before.jsonl").read_text().startswith("old")


def test_a_device_as_out_keeps_its_permissions(egide: Egide, write: Write) -> None:
    write({"a.jpg": OTHER})
    before = Path("/dev/null").stat().st_mode
    assert egide("scan", "a.jpg", "--out", "/dev/null").code == 0
    assert Path("/dev/null").stat().st_mode == before


@pytest.mark.parametrize("where", ["out", "stdout"])
def test_a_full_disk_is_told_in_a_line(egide: Egide, write: Write, where: str) -> None:
    write({"a.jpg": OTHER})
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [EGIDE, "scan", "a.jpg", *(["--out", "/dev/full"] if where == "out" else [])],
            stdout=full if where == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "EGIDE_HOME": str(egide.home)},
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == b"egide: cannot go on: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(egide: Egide, write: Write, closed: str) -> None:
    write({"a.jpg": COPY})
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{EGIDE}' scan a.jpg --out r.jsonl {closed}"],
        env={**os.environ, "EGIDE_HOME": str(egide.home)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert json.loads(Path("r.jsonl").read_text())["action"] == "block"


@pytest.mark.parametrize(
    ("environment", "args"),
    [
        ({"EGIDE_FORMAT": "table"}, ["--format", "table"]),
        ({"EGIDE_FAIL_ON": "escalate"}, ["--fail-on", "escalate"]),
        ({"EGIDE_BANK": "demo"}, ["--bank", "demo"]),
        ({"EGIDE_POLICY": "mine.yaml"}, ["--policy", "mine.yaml"]),
        ({"EGIDE_THRESHOLD": "0"}, ["--threshold", "0"]),
        ({"EGIDE_JOBS": "1"}, ["--jobs", "1"]),
        ({"EGIDE_REVEAL": "1"}, ["--reveal"]),
        ({"EGIDE_BASELINE": "base.jsonl"}, ["--baseline", "base.jsonl"]),
        ({"EGIDE_HOME": "other"}, ["--home", "other"]),
        ({"EGIDE_OUT": "r.jsonl"}, ["--out", "r.jsonl"]),
    ],
)
def test_variables_mirror_the_flags(
    egide: Egide, write: Write, environment: dict[str, str], args: list[str]
) -> None:
    write({"d/a.jpg": COPY, "mine.yaml": REVIEW_ALL.encode()})
    plain = egide("scan", "d")
    Path("base.jsonl").write_text(plain.out)

    def told(done: object) -> str:
        return re.sub(r"[\d.]+ s \([\d.,]+/s\)", "", str(done))

    by_flag, by_variable = egide("scan", "d", *args), egide("scan", "d", given=environment)
    assert told(by_variable) == told(by_flag)
    if "EGIDE_JOBS" not in environment and "EGIDE_BANK" not in environment:
        assert told(by_flag) != told(plain) or Path("r.jsonl").exists()


def test_nothing_is_read_from_the_folder_that_is_scanned(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": COPY, "e/a.jpg": COPY})
    allow = b'policy: p\nrules:\n- {rule: r, when: {label: "*"}, action: allow}\n'
    names = ("policy.yaml", "egide.yaml", ".egide", ".egide.yaml", "default.yaml", "pyproject.toml")
    write({f"d/{name}": allow for name in names})
    write({"d/.env": b"EGIDE_FAIL_ON=escalate\n", "d/egide/__init__.py": b"raise SystemExit(0)\n"})
    os.chdir("d")
    done = egide.spawn("scan", "a.jpg")
    assert (done.code, done.lines[0]["policy"]) == (1, "default@1")


# ── what is scanned ─────────────────────────────────────────────────────────────────────────────


def test_a_picture_under_another_name_is_scanned(egide: Egide, write: Write) -> None:
    write({"notes.txt": COPY})
    done = egide("scan", "notes.txt")
    assert (done.code, done.lines[0]["item"]["kind"]) == (1, "image")


@pytest.mark.parametrize("jobs", ["1", "2", "8"])
def test_the_order_of_the_output_is_that_of_the_input(
    egide: Egide, write: Write, jobs: str
) -> None:
    names = [f"d/{number:03}.jpg" for number in range(60)]
    write({name: (COPY, OTHER, b"", TEXT)[number % 4] for number, name in enumerate(names)})
    assert egide("scan", "d", "--jobs", jobs).refs == names


@pytest.mark.parametrize("path", ["a.jpg", "./a.jpg", ".//d/..//a.jpg"])
def test_references_are_the_paths_as_given(egide: Egide, write: Write, path: str) -> None:
    write({"a.jpg": OTHER, "d/b.jpg": OTHER})
    assert egide("scan", path).refs == [path]


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_a_dash_reads_paths_from_standard_input(egide: Egide, write: Write, end: bytes) -> None:
    names = ["with space.jpg", "-dash.jpg", "ünï.jpg", "d"]
    write(dict.fromkeys(names[:3], OTHER) | {"d/in.jpg": OTHER})
    stdin = end.join(os.fsencode(name) for name in names) + end
    done = egide("scan", "-", stdin=stdin)
    assert (done.code, done.refs) == (0, [*names[:3], "d/in.jpg"])


def test_odd_names_come_through_a_list_and_back_out_of_the_json(egide: Egide, write: Write) -> None:
    names = [b"line\nbreak.jpg", b"\xff\xfe.jpg", b"\x1b[31mred.jpg"]
    write({os.fsdecode(name): OTHER for name in names})
    done = egide.spawn("scan", "-", stdin=b"\0".join(names) + b"\0")
    assert [os.fsencode(ref) for ref in done.refs] == names
    assert "\x1b" not in done.out
    table = egide.spawn("scan", "-", "-f", "table", stdin=b"\0".join([*names, b"no\n\x1b[2J\0"]))
    assert "\x1b[2J" not in table.out


def test_a_missing_path_in_a_list_is_an_error_and_the_rest_goes_on(
    egide: Egide, write: Write
) -> None:
    write({"a.jpg": OTHER, "b.jpg": OTHER})
    done = egide("scan", "-", stdin=b"a.jpg\nnone.jpg\nb.jpg\n")
    assert (done.code, done.refs) == (3, ["a.jpg", "none.jpg", "b.jpg"])
    assert done.lines[1]["errors"][0]["error"] == "unreadable"


def test_an_empty_list_scans_nothing(egide: Egide) -> None:
    assert egide("scan", "-").code == 4


def test_names_with_a_leading_dash_follow_a_double_dash(egide: Egide, write: Write) -> None:
    write({"-rf.jpg": OTHER})
    assert egide("scan", "--", "-rf.jpg").refs == ["-rf.jpg"]


def test_pipes_sockets_devices_and_links_never_hang(egide: Egide, write: Write) -> None:
    write({"d/a.jpg": OTHER})
    os.mkfifo("d/pipe.jpg")
    Path("d/up").symlink_to("..")
    Path("d/loop").symlink_to("loop")
    Path("d/zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("d/socket.jpg")
        done = egide.spawn("scan", "d", "/dev/zero", "d/up/d/a.jpg")
    assert done.code == 3
    unreadable = [line["item"]["ref"] for line in done.lines if line["errors"]]
    assert unreadable == ["d/loop", "d/pipe.jpg", "d/socket.jpg", "d/up", "d/zero", "/dev/zero"]


def test_an_over_size_file_is_an_error_and_found_by_its_digest_still(
    egide: Egide, write: Write
) -> None:
    write({"same.png": KNOWN, "other.jpg": OTHER})
    done = egide("scan", ".", EGIDE_MAX_BYTES="1000")
    assert done.code == 1
    other, same = done.lines
    assert other["errors"][0]["error"] == same["errors"][0]["error"] == "too-many-bytes"
    assert (other["action"], same["action"]) == ("review", "block")
    assert same["findings"][0]["evidence"]["method"] == "sha256"


def test_a_scan_without_a_block_bank_says_so_and_is_incomplete(egide: Egide, write: Write) -> None:
    write({"a.jpg": OTHER})
    done = egide("scan", "a.jpg", "--home", "empty")
    assert done.code == 3
    assert "no block bank in empty" in done.err


# ── being stopped ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_prints_what_was_found_so_far(
    egide: Egide, write: Write, how: signal.Signals
) -> None:
    write({"a.jpg": COPY})
    running = egide.popen("scan", "-", "--jobs", "1", "--format", "table", "--out", "r.jsonl")
    assert running.stdin is not None
    running.stdin.write(b"a.jpg\n")
    running.stdin.flush()  # and it stays open: the scan waits for more
    until = time.monotonic() + 20
    while not any(part.stat().st_size for part in Path().glob(".r.jsonl.*.part")):
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(how)
    code = running.wait(20)
    out, err = running.stdout.read().decode(), running.stderr.read().decode()  # type: ignore[union-attr]
    running.stdin.close()
    running.stdout.close()  # type: ignore[union-attr]
    running.stderr.close()  # type: ignore[union-attr]
    assert code == 3
    assert "known in bank demo" in out
    assert "interrupted" in out
    assert "1 item in" in out
    assert json.loads(Path("r.jsonl").read_text())["action"] == "block"
    assert not list(Path().glob("*.part"))
    assert "Traceback" not in err


def test_a_scan_started_with_nohup_outlives_its_terminal(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = egide.popen("scan", "-", "--jobs", "1", "--out", "r.jsonl")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert running.stdin is not None
    running.stdin.write(b"a.jpg\n")
    running.stdin.flush()
    until = time.monotonic() + 20
    while not any(part.stat().st_size for part in Path().glob(".r.jsonl.*.part")):
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(signal.SIGHUP)
    running.communicate(b"a.jpg\n", 20)
    assert running.returncode == 1
    assert len(Path("r.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_a_report_takes_its_place_only_when_it_is_complete(egide: Egide, write: Write) -> None:
    write({"a.jpg": COPY})
    Path("r.jsonl").write_text("yesterday's\n", encoding="utf-8")
    running = egide.popen("scan", "-", "--jobs", "1", "--out", "r.jsonl")
    assert running.stdin is not None
    running.stdin.write(b"a.jpg\n")
    running.stdin.flush()
    until = time.monotonic() + 20
    while not any(part.stat().st_size for part in Path().glob(".r.jsonl.*.part")):
        assert time.monotonic() < until
        time.sleep(0.05)
    running.kill()
    running.communicate()
    assert Path("r.jsonl").read_text(encoding="utf-8") == "yesterday's\n"


def test_the_baseline_what_is_scanned_and_pictures_are_not_written_over(
    egide: Egide, write: Write
) -> None:
    write({"a.jpg": COPY, "d/b.jpg": COPY, "d/c.jpg": OTHER})
    egide("scan", "a.jpg", "--out", "base.jsonl")
    for arguments in (
        ("a.jpg", "--baseline", "base.jsonl", "--out", "base.jsonl"),
        ("a.jpg", "--out", "a.jpg"),
        ("d", "--out", "d/b.jpg"),
        ("d", "--out", "twice.jsonl", "--out", "./twice.jsonl"),
    ):
        before = {path: path.read_bytes() for path in Path().rglob("*.j*")}
        assert egide("scan", *arguments).code == 2
        assert {path: path.read_bytes() for path in Path().rglob("*.j*")} == before


def test_a_report_written_into_the_scanned_folder_is_not_scanned(
    egide: Egide, write: Write
) -> None:
    write({"d/c.jpg": OTHER, "d/r.jsonl": b"an old report"})
    done = egide("scan", "d", "--out", "d/r.jsonl", "--format", "jsonl")
    assert done.code == 0
    lines = Path("d/r.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["item"]["ref"] for line in lines] == ["d/c.jpg"]


def test_a_reader_that_goes_away_ends_the_scan_quietly(egide: Egide, write: Write) -> None:
    write(dict.fromkeys((f"d/{number:03}.jpg" for number in range(60)), OTHER))
    done = subprocess.run(
        ["/bin/bash", "-c", f"'{EGIDE}' scan d | head -n 1; exit ${{PIPESTATUS[0]}}"],
        env={**os.environ, "EGIDE_HOME": str(egide.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["item"]["ref"] == "d/000.jpg"


# ── the progress bar ────────────────────────────────────────────────────────────────────────────


def test_a_long_scan_draws_a_bar_on_the_terminal_and_takes_it_away(
    egide: Egide, write: Write
) -> None:
    large = pictures.encode(pictures.smooth_noise(1600, 1200, seed=3), "PNG")
    _many(write, large, 80)
    code, seen = egide.on_terminal("scan", "d", "--jobs", "1")
    assert code == 0
    assert re.search(r"\d+/80", seen)
    assert "0/?" not in seen
    assert re.search(r"\d/s", seen)
    assert re.search(r"\x1b\[2K\x1b\[1m80 items in [^━]*$", seen)


def _many(write: Write, data: bytes, count: int) -> None:
    write({"one": data})
    Path("d").mkdir()
    for number in range(count):
        Path(f"d/{number:04}").hardlink_to("one")


def test_json_lines_on_a_terminal_are_not_mixed_with_a_bar(egide: Egide, write: Write) -> None:
    _many(write, pictures.encode(pictures.smooth_noise(1600, 1200, seed=3), "PNG"), 40)
    _, seen = egide.on_terminal("scan", "d", "--jobs", "1", "--format", "jsonl")
    assert len([json.loads(line) for line in seen.splitlines()]) == 40
