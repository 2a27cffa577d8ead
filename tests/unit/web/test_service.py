"""What those who run the service see: probes, metrics, logs, the description, faults."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import structlog
from jsonschema import Draft202012Validator

from egide.errors import StorageError, StorageFull
from egide.outbox.deliveries import Backlog
from egide.web.limits import RateLimit
from egide.web.logs import SHOWN, _Lines, masked
from egide.web.metrics import Metrics
from egide.web.problems import Problem
from egide.web.settings import ServeSettings
from tests.unit.web.conftest import Serving


def test_the_service_says_that_it_is_ready(serving: Serving) -> None:
    assert serving.client.get("/livez").json() == {"status": "alive"}
    answer = serving.client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_a_service_that_stops_is_not_ready(serving: Serving) -> None:
    serving.service.stopping = True
    try:
        answer = serving.client.get("/readyz")
    finally:
        serving.service.stopping = False

    assert (answer.status_code, answer.json()["checks"]["running"]) == (503, False)


def test_a_database_that_is_away_is_told_without_its_place(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StorageError(f"{serving.home.path}/egide.sqlite: disk I/O error")

    monkeypatch.setattr(serving.service.home.database, "fetch", away)
    ready = serving.client.get("/readyz")
    answer = serving.ask("GET", "/v1/verdicts")
    monkeypatch.undo()

    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert str(serving.home.path) not in answer.text


def test_a_full_disk_is_told_with_what_to_do(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StorageFull(f"{serving.home.path}/egide.sqlite: database or disk is full")

    monkeypatch.setattr(serving.service.home.database, "fetch", full)
    answer = serving.ask("GET", "/v1/verdicts")

    assert (answer.status_code, answer.headers["retry-after"]) == (507, "30")
    assert "free some space" in answer.json()["detail"]
    assert str(serving.home.path) not in answer.text


def test_a_service_without_room_is_not_ready(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.web.room.LEAST_BYTES", 1 << 60)
    answer = serving.client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["disk"]) == (503, False)


def test_a_database_that_had_no_room_lately_is_told(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.service.home.database, "full_at", time.monotonic())
    assert serving.client.get("/readyz").json()["checks"]["disk"] is False
    monkeypatch.setattr("egide.web.room.LATELY_SECONDS", 0)
    assert serving.client.get("/readyz").status_code == 200


def test_metrics_count_by_route_and_not_by_address(serving: Serving) -> None:
    serving.ask("GET", "/v1/verdicts/0199a3f0c1d24f4f4f4f4f4f4f4f4f4f")
    serving.client.get("/nowhere/secret-name")
    serving.text("a bridge")

    text = serving.client.get("/metrics").text

    assert 'route="/v1/verdicts/{id}",status="404"' in text
    assert 'egide_verdicts_total{action="allow",complete="true",kind="text"}' in text
    assert "secret-name" not in text


def test_metrics_are_not_for_strangers(serving: Serving) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}

    assert serving.client.get("/metrics", headers=forwarded).status_code == 401
    assert serving.ask("GET", "/metrics", headers=forwarded).status_code == 200


def test_what_is_not_there_is_a_problem(serving: Serving) -> None:
    missing, wrong = serving.client.get("/v1/nothing"), serving.client.get("/v1/scan")

    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["allow"] == "POST"
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abcdefgh-1", True), ("a", False), ("abcdefgh\tinjected: 1", False), ("a" * 65, False)],
)
def test_a_request_has_an_id(serving: Serving, given: str, kept: bool) -> None:
    answer = serving.client.get("/livez", headers={"X-Request-Id": given})

    assert (answer.headers["x-request-id"] == given) == kept
    assert answer.headers["x-request-id"].replace("-", "").isalnum()


def test_a_fault_of_ours_costs_one_request_and_tells_nothing(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret word")

    monkeypatch.setattr(serving.service.records, "list", broken)
    with structlog.testing.capture_logs() as logs:
        answer = serving.ask("GET", "/v1/verdicts")
    monkeypatch.undo()

    assert (answer.status_code, "secret word" in answer.text) == (500, False)
    failed = next(entry for entry in logs if entry["event"] == "request.failed")
    assert failed["error"] == "RuntimeError"
    assert "secret word" not in str(logs)
    assert serving.ask("GET", "/v1/verdicts").status_code == 200


def test_housekeeping_goes_on_whatever_went_wrong(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, went_on = [MemoryError(), OSError(24, "secret word"), KeyError("a")], threading.Event()

    def tick() -> None:
        if begun:
            raise begun.pop()
        went_on.set()

    with structlog.testing.capture_logs() as logs:
        monkeypatch.setattr(serving.service.desk, "tick", tick)
        done = went_on.wait(60)
    monkeypatch.undo()

    failed = [entry for entry in logs if entry["event"] == "housekeeping.failed"]
    assert done
    assert [entry["error"] for entry in failed] == ["KeyError", "OSError", "MemoryError"]
    assert all(entry["where"].startswith("test_service.py:") for entry in failed)
    assert "secret word" not in str(logs)


def test_a_request_is_logged_without_what_was_sent(serving: Serving) -> None:
    with structlog.testing.capture_logs() as logs:
        serving.ask("GET", "/v1/verdicts?content_id=jane-smith")
        serving.scan(b"words", "jane-smith.txt", content_id="jane-smith")

    assert [entry["route"] for entry in logs] == ["/v1/verdicts", "/v1/scan"]
    assert "smith" not in str(logs)
    assert set().union(*logs) <= SHOWN | {"log_level"}


def test_fields_that_nobody_allowed_are_masked() -> None:
    event = {"event": "request", "authorization": "Bearer egide_1", "status": 200}

    assert masked(None, "info", dict(event)) == {**event, "authorization": "***"}


def test_what_libraries_say_is_told_without_its_words() -> None:
    code = (
        "import logging; from egide.web.logs import set_up; set_up();"
        "logging.getLogger('library.part').warning('somebody: %s', 'jane')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stderr)["where"].startswith("library.part:")
    assert "jane" not in done.stderr


def test_a_fault_that_is_logged_is_told_with_its_place() -> None:
    code = (
        "import logging; from egide.web.logs import set_up; set_up()\n"
        "try: raise KeyError('jane')\n"
        "except KeyError: logging.getLogger('library.part').exception('failed')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(done.stderr)

    assert (told["error"], told["where"].endswith("<string>:2")) == ("KeyError", True)
    assert "jane" not in done.stderr


def test_a_log_that_cannot_be_written_costs_no_request() -> None:
    code = "from egide.web.logs import log, set_up; set_up(); log.info('request'); print('on')"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>/dev/full', sys.executable, code],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert done.stdout == "on\n"


def test_the_description_is_valid_and_its_examples_too(serving: Serving) -> None:
    document = serving.client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    checked = 0
    for operation in (o for methods in document["paths"].values() for o in methods.values()):
        bodies = [operation.get("requestBody", {}).get("content", {})]
        bodies += [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in (c for body in bodies for c in body.values() if "example" in c):
            schema = {**content["schema"], "components": {"schemas": schemas}}
            Draft202012Validator(schema).validate(content["example"])
            checked += 1

    assert document["openapi"] == "3.1.0"
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert checked > 8


def test_every_reference_in_the_description_leads_somewhere(serving: Serving) -> None:
    text = serving.client.get("/openapi.json").text
    document = json.loads(text)

    def refs(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(refs(value) for value in node.values()))
        return set().union(*map(refs, node)) if isinstance(node, list) else set()

    for reference in refs(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_the_page_of_the_interface_loads_nothing_from_elsewhere(serving: Serving) -> None:
    page = serving.client.get("/docs")
    parts = [serving.client.get(f"/static/reference/reference.{kind}") for kind in ("js", "css")]

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert [part.status_code for part in parts] == [200, 200]
    for text in (page.text, *(part.text for part in parts)):
        assert "://" not in text
        assert "innerHTML" not in text


def test_a_rate_is_kept_with_a_burst() -> None:
    now = 0.0
    limit = RateLimit(2, clock=lambda: now)

    for _ in range(4):
        limit.check("key:a")
    with pytest.raises(Problem) as refused:
        limit.check("key:a")
    limit.check("key:b")
    now = 0.5
    limit.check("key:a")

    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")


def test_settings_reach_the_processes_that_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVE_SETTINGS_EGIDE", raising=False)
    settings = ServeSettings(banks=("a", "b"), gazetteer="g", rate=2.5)

    settings.pass_on()

    assert ServeSettings.passed_on() == settings
    monkeypatch.delenv("SERVE_SETTINGS_EGIDE")


def test_metrics_tell_what_waits(serving: Serving) -> None:
    text = serving.client.get("/metrics").text
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    assert told["egide_scans_under_way"] == "0.0"
    assert told['egide_sandbox_processes{state="idle"}'] == "1.0"
    assert told['egide_sandbox_processes{state="busy"}'] == "0.0"
    assert told["egide_sandbox_waiting"] == "0.0"
    assert float(told['egide_sandbox_turnover_total{what="started"}']) >= 1
    assert told['egide_sandbox_confined{by="limits"}'] == "1.0"
    assert told['egide_outbox_deliveries{state="waiting"}'] == "0.0"
    assert told['egide_outbox_deliveries{state="dead"}'] == "0.0"
    assert told["egide_outbox_oldest_seconds"] == "0.0"


def test_metrics_tell_what_was_not_delivered() -> None:
    metrics = Metrics()
    metrics.outbox(Backlog(3, 2, 1_000), 61_500)
    text = metrics.text().decode()

    assert 'egide_outbox_deliveries{state="waiting"} 3.0' in text
    assert 'egide_outbox_deliveries{state="dead"} 2.0' in text
    assert "egide_outbox_oldest_seconds 60.5" in text


def test_metrics_count_what_happened_once(serving: Serving) -> None:
    state = serving.service.workers.state()
    metrics = Metrics()
    for lost in (0, 2, 2, 3):
        metrics.pool(replace(state, started=1 + lost, lost=lost), 5)
    text = metrics.text().decode()

    assert 'egide_sandbox_turnover_total{what="lost"} 3.0' in text
    assert 'egide_sandbox_turnover_total{what="started"} 4.0' in text
    assert "egide_scans_under_way 5.0" in text


@pytest.mark.parametrize(
    ("host", "public", "url"),
    [
        ("127.0.0.1", "", "http://localhost:80"),
        ("::1", "", "http://localhost:80"),
        ("localhost", "", "http://localhost:80"),
        ("192.0.2.1", "", "http://192.0.2.1:80"),
        ("127.0.0.1", "https://egide.example/", "https://egide.example"),
    ],
)
def test_people_are_sent_to_a_name(
    monkeypatch: pytest.MonkeyPatch, host: str, public: str, url: str
) -> None:
    monkeypatch.setenv("EGIDE_PUBLIC_URL", public)
    assert ServeSettings(host=host, port=80).browser_url == url


def test_lines_of_the_log_are_written_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Noting(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Noting())
    _Lines().info("a line")
    assert written == ["a line\n"]
