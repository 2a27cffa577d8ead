"""Audits: what is counted, what is never told, and that nothing in a dump stops one."""

from __future__ import annotations

import csv
import gzip
import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from egide.errors import StorageError, UsageError
from egide.hub.audit import Audit, Reveal, audit, score_sheet, write_audit
from egide.hub.audit.cells import safe_cell
from egide.hub.audit.hub_policy import breaches, hub_policies, hub_policy
from egide.hub.audit.score import wilson
from egide.hub.audit.tables import (
    FEWER,
    Entry,
    concentration,
    of_tags,
    reuploads,
    share_women,
    suppressed,
    tables_of,
)
from egide.hub.gazetteer_sample import sample_gazetteer
from egide.hub.pseudonyms import KEY_FILE, Pseudonyms, open_pseudonyms
from tests.listings import civitai_models

PEOPLE = [p for p in map(sample_gazetteer().person, range(30)) if not p.fictional and not p.dead]
WOMEN = [p.name for p in PEOPLE if p.gender == "woman" and " " in p.name][:4]
MEN = [p.name for p in PEOPLE if p.gender == "man" and " " in p.name][:1]
NAMES = [*WOMEN, *MEN]
PLAIN = Pseudonyms(b"k" * 32)


def style(**fields: Any) -> dict[str, Any]:
    return next(civitai_models(1, share=0)) | fields


def dumped(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def audited(path: Path, records: Iterable[Any], **options: Any) -> Audit:
    return audit([dumped(path, records)], "sample", jobs=1, **options)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return tmp_path / "dump.jsonl"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    path = tmp_path_factory.mktemp("dumps") / "dump.jsonl"
    return audited(path, civitai_models(400, people=NAMES, share=0.4), sample=15, seed="s")


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ── what is counted ─────────────────────────────────────────────────────────────────────────────


def test_models_of_people_are_told_from_others(found: Audit) -> None:
    of_people = sum(
        any(name in model["name"] for name in NAMES)
        for model in civitai_models(400, people=NAMES, share=0.4)
    )
    assert found.tally.models == 400
    assert found.tally.likeness == of_people
    assert found.tally.named == sum(one.models for one in found.tally.subjects.values())
    assert {one.person.name for one in found.tally.subjects.values()} == set(NAMES)


def test_the_summary_has_what_was_asked_of_it(found: Audit, tmp_path: Path) -> None:
    summary = write_audit(found, tmp_path, PLAIN)
    models = list(civitai_models(400, people=NAMES, share=0.4))
    imitating = [m for m in models if any(name in m["name"] for name in NAMES)]
    sexual = [m for m in imitating if "nude" in m["tags"]]
    assert summary["models_total"] == 400
    assert summary["likeness_total"] == len(imitating)
    assert summary["likeness_named"] + summary["likeness_unnamed"] == len(imitating)
    assert summary["likeness_sexual"] == len(sexual)
    assert summary["downloads_total"] == sum(m["stats"]["downloadCount"] for m in models)
    assert summary["downloads_likeness"] == sum(m["stats"]["downloadCount"] for m in imitating)
    assert sum(summary["by_base_model"].values()) == len(imitating)
    assert sum(summary["by_adapter"].values()) == len(imitating)
    assert summary["by_tag"]["celebrity"] == len(imitating)
    assert summary["by_tag"]["nude"] == len(sexual)
    of_women = sum(any(name in m["name"] for name in WOMEN) for m in imitating)
    assert summary["share_women"] == pytest.approx(of_women / len(imitating), abs=0.01)
    assert summary["unreadable"] == 0
    assert json.loads((tmp_path / "summary.json").read_text()) == summary


def test_a_listing_that_comes_twice_counts_once(dump: Path) -> None:
    models = [*civitai_models(30, people=NAMES), *civitai_models(30, people=NAMES)]
    tally = audited(dump, models).tally
    assert (tally.models, tally.repeated) == (30, 30)
    assert tally.copies.tensors.buffer_info()[1] < 120


def test_what_cannot_be_read_is_counted_and_named(dump: Path, tmp_path: Path) -> None:
    models = list(civitai_models(6, people=NAMES))
    dumped(dump, [*models[:3], {"a": 1}, {"text": "a lake"}, *models[3:]])
    with dump.open("ab") as file:
        file.write(
            b'{"id": 9, "na\n' + b"\xff\xfe\n" + json.dumps({"items": models}).encode()[:900]
        )
    found = audit([dump], jobs=1)
    assert (found.tally.models, found.tally.texts.total, found.tally.unreadable) == (6, 1, 4)
    write_audit(found, tmp_path / "out", PLAIN)
    unread = rows(tmp_path / "out", "unreadable.csv")
    assert [(row["record"].removeprefix(f"{dump}#"), row["error"]) for row in unread] == [
        ("4", "unknown-record"),
        ("9", "corrupt"),
        ("10", "corrupt"),
        ("11", "truncated"),
    ]


def test_a_fault_of_ours_costs_one_listing(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from egide.hub.audit import row
    from egide.hub.likeness import likeness_all as whole

    def failing(models: Any, gazetteer: Any) -> Any:
        for facts in models:
            if facts.ref == "3":
                raise ZeroDivisionError
            yield from whole([facts], gazetteer)

    monkeypatch.setattr(row, "likeness_all", failing)
    tally = audited(dump, civitai_models(8, people=NAMES)).tally
    assert (tally.models, tally.unreadable) == (7, 1)
    assert tally.unread[0].error == "detector-failed"
    assert tally.unread[0].ref.endswith("#3")


def test_listings_flagged_for_minors_are_set_aside_unread(dump: Path) -> None:
    models = [model | {"minor": True} for model in civitai_models(9, people=NAMES, share=1)]
    tally = audited(dump, models).tally
    assert (tally.models, tally.escalated, tally.likeness, len(tally.subjects)) == (9, 9, 0, 0)


def test_folders_compressed_files_and_cards_are_dumps(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    models = list(civitai_models(5, people=NAMES))
    (folder / "a.json.gz").write_bytes(gzip.compress(json.dumps({"items": models}).encode()))
    (folder / "b.txt").write_text("words")
    (folder / "c").mkdir()
    (folder / "c" / "README.md").write_text(
        f"---\nbase_model: x\ninstance_prompt: photo of {NAMES[0]}\ntags: [lora]\n---\n{NAMES[0]}"
    )
    tally = audit([folder], "sample", jobs=1).tally
    assert (tally.models, tally.unreadable) == (6, 0)
    assert tally.sources["huggingface"].models == 1


@pytest.mark.slow
def test_the_outcome_is_the_same_on_one_process_and_on_two(tmp_path: Path) -> None:
    dump = dumped(tmp_path / "dump.jsonl", civitai_models(1_500, people=NAMES))
    summaries = []
    for jobs in (1, 2):
        found = audit([dump], "sample", jobs=jobs, sample=5, seed="s")
        out = tmp_path / str(jobs)
        summaries.append(write_audit(found, out, PLAIN) | {"made": ""})
    assert summaries[0] == summaries[1]
    for table in (tmp_path / "1").glob("*.csv"):
        assert table.read_bytes() == (tmp_path / "2" / table.name).read_bytes()


# ── what is never told ──────────────────────────────────────────────────────────────────────────


def test_nobody_is_named_unless_asked_for(found: Audit, tmp_path: Path) -> None:
    write_audit(found, tmp_path, PLAIN)
    told = "".join(path.read_text() for path in tmp_path.iterdir() if path.name != "sample.csv")
    accounts = {one.name for one in found.tally.creators.values()}
    for name in [*NAMES, *accounts]:
        assert name not in told
        assert name.lower().replace(" ", "_") not in told


def test_names_are_shown_with_a_reason(found: Audit, tmp_path: Path) -> None:
    summary = write_audit(found, tmp_path / "out", PLAIN, reveal=Reveal("a study", "ada", "now"))
    assert summary["revealed"]["reason"] == "a study"
    assert {row["person"] for row in rows(tmp_path / "out", "people.csv")} == set(NAMES)
    assert "a study" in (tmp_path / "out" / "audit.html").read_text()


def test_a_reveal_is_recorded_before_anything_is_shown(tmp_path: Path) -> None:
    for reason in ("first", "second"):
        Reveal.now(reason).record(tmp_path / "home", tmp_path / "out")
    lines = (tmp_path / "home" / "reveals.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["first", "second"]
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="nothing is revealed"):
        Reveal.now("x").record(tmp_path / "file", tmp_path)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"a": 9, "b": 7}, {"a": 9, "b": 7}),
        ({"a": 9, "b": 3, "c": 2}, {"a": 9, FEWER: 5}),
        ({"a": 9, "b": 7, "c": 2}, {"a": 9, FEWER: 9}),
        ({"a": 9, "b": 1}, {FEWER: 10}),
        ({"a": 4}, {}),
        ({"a": 0, "b": 5}, {"b": 5}),
        ({}, {}),
    ],
)
def test_small_counts_are_put_together_so_that_none_can_be_told(
    counts: dict[str, int], shown: dict[str, int]
) -> None:
    entries = suppressed(Entry(name, number, 1) for name, number in counts.items())
    assert {entry.name: entry.models for entry in entries} == shown


def test_no_table_has_a_small_count(dump: Path) -> None:
    tally = audited(dump, civitai_models(40, people=NAMES, share=0.5)).tally
    for table in tables_of(tally, PLAIN, reveal=False):
        if table.name in ("by_hub", "concentration", "unreadable"):
            continue
        for row in table.rows:
            counted = row[1:2] if table.name != "reuploads" else row[1:]
            assert all(not (isinstance(n, int) and 0 < n < 5) for n in counted), (table.name, row)


def test_tags_of_few_people_may_be_names_and_are_left_out(dump: Path) -> None:
    models = [m | {"tags": ["celebrity", "woman", "onlyhers"]} for m in
              civitai_models(30, people=NAMES[:1], share=1)]  # fmt: skip
    models += list(civitai_models(100, people=NAMES, share=1, seed=2))
    for number, model in enumerate(models):
        model["id"] = number
    tags = {entry.name for entry in of_tags(audited(dump, models).tally)}
    assert "onlyhers" not in tags
    assert "celebrity" in tags


def test_everything_is_readable_by_its_owner_alone(found: Audit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_audit(found, out, PLAIN)
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_pseudonyms_are_stable_under_one_key_and_differ_under_others(tmp_path: Path) -> None:
    first, again = open_pseudonyms(tmp_path / "a"), open_pseudonyms(tmp_path / "a")
    other = open_pseudonyms(tmp_path / "b")
    assert first.of_person("Q1") == again.of_person("Q1") != first.of_person("Q2")
    assert first.of_person("Q1") != other.of_person("Q1")
    assert first.of_creator("a", "bc") != first.of_creator("ab", "c")
    assert stat.S_IMODE((tmp_path / "a" / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_is_damaged_or_open_to_others_is_refused(tmp_path: Path) -> None:
    key = tmp_path / KEY_FILE
    key.write_bytes(b"short")
    key.chmod(0o600)
    with pytest.raises(StorageError, match="no key"):
        open_pseudonyms(tmp_path)
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    with pytest.raises(StorageError, match="read by others"):
        open_pseudonyms(tmp_path)


# ── figures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("counts", "part", "share"),
    [
        ([10, 1, 1, 1, 1], 0.01, 10 / 14),
        ([1] * 100, 0.1, 0.1),
        ([1] * 100, 0.01, 0.01),
        ([9, 9], 0.1, None),
        ([0] * 9, 0.1, None),
    ],
)
def test_concentration(counts: list[int], part: float, share: float | None) -> None:
    assert concentration(counts, part) == (
        None if share is None else pytest.approx(share, abs=1e-4)
    )


def test_the_share_of_women_needs_enough_models(dump: Path) -> None:
    tally = audited(dump, civitai_models(4, people=WOMEN[:1], share=1)).tally
    assert share_women(tally.subjects.values()) is None


def _with_tensors(model: dict[str, Any], number: int, autov3: str, name: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(model)) | {"id": number, "name": name}
    copy["modelVersions"] = copy["modelVersions"][:1]
    copy["modelVersions"][0]["files"][0]["hashes"] = {"AutoV3": autov3}
    return copy


def test_the_same_tensors_under_another_name_are_a_re_upload(dump: Path) -> None:
    person, plain = next(civitai_models(1, people=NAMES, share=1)), style()
    one, two, none = "AB" * 6, "cd" * 32, "E3B0C44298FC"
    tally = audited(dump, [
        _with_tensors(person, 1, one, person["name"]),
        _with_tensors(plain, 2, one.lower() + "0" * 52, "Quiet Meadow"),
        _with_tensors(plain, 3, two, "Alpine lake"),
        _with_tensors(plain, 4, two, "Forest lake"),
        _with_tensors(person, 5, none, person["name"]),
        _with_tensors(plain, 6, none, "Brick street"),
        _with_tensors(person, 7, "ef" * 6, person["name"]),
        _with_tensors(person, 8, "ef" * 6, person["name"]),
    ]).tally  # fmt: skip
    found = reuploads(tally.copies)
    assert (found.sets, found.models, found.hidden, found.by_size) == (1, 2, 1, {2: 1})


def test_a_hubs_policy_counts_what_is_still_there(dump: Path) -> None:
    models = list(civitai_models(40, people=NAMES, share=1))
    for number, model in enumerate(models):
        day = "2025-06-01" if number < 10 else "2024-06-01"
        for version in model["modelVersions"]:
            version["publishedAt"] = day
        if number >= 30:
            model["mode"] = "TakenDown"
    tally = audited(dump, models).tally
    found = breaches(tally.reach, hub_policy("civitai-2025-05"))
    assert (found.forbidden, found.reachable, found.gone, found.after) == (40, 30, 10, 10)
    assert breaches(tally.reach, hub_policy("huggingface-content")).forbidden == 0
    with pytest.raises(UsageError, match="civitai-2025-05"):
        hub_policy("none")


def test_every_policy_says_what_it_forbids_and_where_it_stands() -> None:
    for policy in hub_policies().values():
        assert policy.forbids <= {"named", "unnamed", "sexual"}
        assert policy.says
        assert policy.at


# ── the page and the tables ─────────────────────────────────────────────────────────────────────


def test_the_page_needs_nothing_from_elsewhere(found: Audit, tmp_path: Path) -> None:
    write_audit(found, tmp_path, PLAIN, policy=hub_policy("civitai-2025-05"))
    page = (tmp_path / "audit.html").read_text()
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "<script" not in page
    assert page.count("<svg") > 10


def test_what_others_wrote_can_neither_run_nor_compute(dump: Path, tmp_path: Path) -> None:
    bad = '=HYPERLINK("x")<script>alert(1)</script>'
    models = [m | {"creator": {"username": f"{bad}{n % 2}"}, "tags": [bad, "celebrity", "woman"]}
              for n, m in enumerate(civitai_models(60, people=NAMES, share=1))]  # fmt: skip
    for model in models:
        model["modelVersions"][0]["baseModel"] = bad
    write_audit(audited(dump, models), tmp_path / "out", PLAIN, reveal=Reveal(bad, "x", "y"))
    assert "<script>alert" not in (tmp_path / "out" / "audit.html").read_text()
    for path in (tmp_path / "out").glob("*.csv"):
        for row in rows(tmp_path / "out", path.name):
            assert not any(cell and cell.startswith("=") for cell in row.values())


def test_a_dump_without_listings_gives_an_audit_without_figures(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    found = audit([tmp_path / "empty.jsonl"], jobs=1)
    summary = write_audit(found, tmp_path / "out", PLAIN)
    assert (summary["models_total"], summary["likeness_share"]) == (0, None)
    assert summary["unreadable"] == 1
    assert "No listing could be read" in (tmp_path / "out" / "audit.html").read_text()


def test_an_out_that_cannot_be_written_says_so(found: Audit, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write into"):
        write_audit(found, tmp_path / "file" / "out", PLAIN)


def test_cells_that_a_spreadsheet_would_compute_are_text() -> None:
    assert [safe_cell(cell) for cell in ("=1", " +1", "-1", "@x", "a=1", -1, None)] == [
        "'=1", "' +1", "'-1", "'@x", "a=1", -1, None,
    ]  # fmt: skip


# ── samples and scores ──────────────────────────────────────────────────────────────────────────


def test_a_sample_is_drawn_of_each_stratum_whatever_the_order(dump: Path, tmp_path: Path) -> None:
    models = list(civitai_models(200, people=NAMES, share=0.4))
    sheets = []
    for number, ordered in enumerate((models, models[::-1])):
        out = tmp_path / str(number)
        write_audit(audited(dump, ordered, sample=10, seed="s"), out, PLAIN)
        sheets.append(rows(out, "sample.csv"))
    assert sheets[0] == sheets[1]
    assert sum(row["stratum"] == "named" for row in sheets[0]) == 10
    assert sum(row["stratum"] == "none" for row in sheets[0]) == 10
    assert "title" not in sheets[0][0]


def test_what_a_listing_says_is_in_the_sample_only_when_revealed(
    dump: Path, tmp_path: Path
) -> None:
    found = audited(dump, civitai_models(20, people=NAMES), sample=5, seed="s", excerpts=True)
    write_audit(found, tmp_path / "out", PLAIN, reveal=Reveal("labelling", "ada", "now"))
    assert all(row["title"] for row in rows(tmp_path / "out", "sample.csv"))


HEADER = "listing,hub,stratum,of,named,unnamed,sexual,is_named,is_unnamed,is_sexual\n"


def sheet(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def test_precision_and_recall_weigh_rows_by_what_they_stand_for(tmp_path: Path) -> None:
    # 100 found, of ten labelled eight right; 900 not found, of ten labelled one missed.
    lines = [f"a{n},c,named,100,yes,no,no,{'yes' if n < 8 else 'no'},no,no" for n in range(10)]
    lines += [f"b{n},c,none,900,no,no,no,{'yes' if n < 1 else 'no'},no,no" for n in range(10)]
    lines += ["c1,c,none,900,no,no,no,,,"]
    scores = {one.label: one for one in score_sheet(sheet(tmp_path / "s.csv", *lines))}
    named = scores["likeness.named"]
    assert named.precision.value == pytest.approx(0.8)
    assert (named.precision.low, named.precision.high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert named.recall.value == pytest.approx(80 / (80 + 90))
    assert named.recall.low < 80 / 170 < named.recall.high
    assert scores["likeness"].precision == named.precision
    assert scores["likeness.unnamed"].precision.value is None


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_a_sheet_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = sheet(tmp_path / "s.csv", "a,c,named,100,yes,no,no,YES ,no,n")
    path.write_text("\ufeff" + path.read_text().replace(",", ";"))
    assert score_sheet(path)[1].precision.value == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a,c,named,100,yes,no,no,perhaps,no,no", "line 2: is_named"),
        ("a,c,other,100,yes,no,no,yes,no,no", "line 2: the columns"),
        ("a,c,named,many,yes,no,no,yes,no,no", "line 2: the columns"),
        ("a,c,named,100,yes,no,no,yes,,no", "line 2: is_unnamed"),
        ("a,c,named,100,yes,no,no,,,", "no row is labelled"),
    ],
)
def test_a_sheet_with_a_slip_says_where(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        score_sheet(sheet(tmp_path / "s.csv", line))


def test_what_is_no_sheet_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "y.csv").write_bytes(b"\xff\xfe\0")
    for name, says in (("x.csv", "no column"), ("y.csv", "no CSV"), ("z.csv", "cannot read")):
        with pytest.raises(UsageError, match=says):
            score_sheet(tmp_path / name)
