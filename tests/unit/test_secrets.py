"""Secrets are taken out of what workers send, of texts and of the report; what is like them by chance stays."""

from __future__ import annotations

import base64
import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pytest

from equivalence.compare.rules import ValueRules
from equivalence.compare.tree import Value
from equivalence.compare.values import compare_values
from equivalence.inside.faces import MAX_TEXT, text
from equivalence.inside.values import encode
from equivalence.redaction import Redactor
from equivalence.secrets import absent
from equivalence.trace import build

LONG = "pa'ss\n\"wört-" + "x" * 60
SECRETS = {
    "LONG": LONG,
    "SHORT": "test",
    "TINY": "ab",
    "DB": {"user": "reader-1", "password": "hunter2-hunter2", "port": 54321},
    "NUMBER": "4815162342",
}
VALUES = (LONG, "reader-1", "hunter2-hunter2")


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """Of the secrets above."""
    return Redactor(SECRETS)


@pytest.mark.parametrize(
    "written",
    [
        LONG,
        repr({"key": LONG}),
        json.dumps([LONG]),
        json.dumps([LONG], ensure_ascii=False),
        f"https://user:{quote(LONG, safe='')}@host",
        "Basic " + base64.b64encode(LONG.encode()).decode(),
        f"abc{LONG}def",
    ],
)
def test_a_long_secret_is_found_however_it_is_written(redactor: Redactor, written: str) -> None:
    """In Python, JSON, a URL, a header, and in the middle of a word."""
    found = redactor.text(written)
    assert "<secret LONG>" in found
    assert "x" * 20 not in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("key=test", "key=<secret SHORT>"),
        ("gave 'test', the latest", "gave '<secret SHORT>', the latest"),
        ("run pytest on tests/test_a.py", "run pytest on tests/test_a.py"),
        ("ab, about ab", "ab, about ab"),
        ("ab", "<secret TINY>"),
        ("port 54321 of 154321", "port <secret DB.port> of 154321"),
        ("nothing", "nothing"),
    ],
)
def test_a_short_secret_is_found_as_a_word(redactor: Redactor, given: str, expected: str) -> None:
    """Parts of other words stay; what is shorter than four characters is found where it is all."""
    assert redactor.text(given) == expected


def test_what_is_left_of_a_cut_secret_is_found(redactor: Redactor) -> None:
    """A text that was cut in the middle of a secret shows neither its beginning nor its end."""
    cut = text("y" * (MAX_TEXT - 30) + LONG)
    assert "pa'ss" in cut
    for one in (cut, f"v1 {LONG[:20]}…", f"…'{LONG[-20:]}' (165 characters)"):
        found = redactor.text(one)
        assert "<secret LONG>" in found
        assert "pa'ss" not in found
        assert "x" * 8 not in found


def shown(redactor: Redactor, value: object) -> str:
    """All that the host knows of a value that a task gave."""
    event = {"e": "task-state", "run": "a", "type": "Success", "name": "Success", "at": 0.1, "result": encode(value)}
    return json.dumps(redactor.event(event), ensure_ascii=False)


@pytest.mark.parametrize("secret", VALUES)
def test_values_of_traces_hold_no_secret(redactor: Redactor, secret: str) -> None:
    """As a value, a part of one, a key, an attribute, bytes, a path."""
    for value in (secret, f"Bearer {secret}", [{"a": (secret,)}], {secret: 1}, {secret, "other"}, ValueError(secret)):
        assert json.dumps(secret)[1:-1] not in shown(redactor, value)
        assert secret not in shown(redactor, value)
    assert base64.b64encode(secret.encode()).decode() not in shown(redactor, secret.encode())
    assert secret not in shown(redactor, PurePosixPath("/srv") / secret)


def test_short_secrets_are_no_part_of_a_value(redactor: Redactor) -> None:
    """From four characters on anywhere in a value; below where it is the whole; a key keeps parts of its words."""
    value = ["Bearertest", "ab", "about", {"latest": 1}]
    assert '"v": ["Bearer<secret SHORT>", "<secret TINY>", "about"' in shown(redactor, value)
    assert "latest" in shown(redactor, value)


def test_structure_stays() -> None:
    """A secret that is a word of our own format does no harm."""
    careless = Redactor({"A": "dict", "B": "list", "C": "Success", "D": "task-state"})
    event = careless.event({"e": "task-state", "run": "a", "type": "Success", "at": 0.1, "result": encode({"k": [1]})})
    assert event["type"] == "Success"
    assert event["result"]["root"] == encode({"k": [1]})["root"]


def value(redactor: Redactor, content: object) -> Value:
    """A value as the host gets it."""
    event = redactor.event({"e": "output", "result": encode(content)})
    return Value.from_envelope(event["result"])


@pytest.mark.parametrize(
    ("v1", "v2"),
    [
        ("reader-1", "hunter2-hunter2"),
        (54321, "54321"),
        ({"port": 54321}, json.dumps(SECRETS["DB"])),
        (LONG, LONG + "x"),
        (f"Bearer {LONG}", f"bearer {LONG}"),
    ],
)
def test_two_values_stay_two(redactor: Redactor, v1: object, v2: object) -> None:
    """Taking secrets out makes nothing equal: members of one secret have names of their own."""
    old, new = value(redactor, v1), value(redactor, v2)
    assert compare_values(old, new, path="result", rules=ValueRules()).differences
    assert not compare_values(old, old, path="result", rules=ValueRules()).differences


def test_what_lies_in_the_spool_file_is_read_without_secrets(redactor: Redactor) -> None:
    """Large values and columns are; numbers are as they were."""
    pieces = (
        json.dumps({"root": {"t": "list", "d": "0", "n": 1, "v": [LONG]}, "shared": {}}).encode(),
        json.dumps(["hunter2-hunter2", "other"]).encode(),
        b"[\x00\x01\x02",
    )
    read = redactor.reader(lambda offset, length: pieces[offset])
    assert json.loads(read(0, 0))["root"]["v"] == ["<secret LONG>"]
    assert json.loads(read(1, 0)) == ["<secret DB.password>", "other"]
    assert read(2, 0) == pieces[2]


def test_exceptions_and_logs_hold_no_secret(redactor: Redactor) -> None:
    """Messages, details, tracebacks and lines of logs."""
    exception = {"type": "ValueError", "message": f"no {LONG}", "details": f"args=({LONG!r},)", "traceback": LONG}
    events: list[dict[str, Any]] = [
        {"e": "task", "run": "a", "name": "load", "at": 0.0},
        {"e": "task-state", "run": "a", "type": "Failed", "name": "Failed", "at": 0.1, "message": LONG}
        | {"exception": exception},
        {"e": "log", "level": "INFO", "message": f"key {LONG}", "run": "a"},
    ]
    trace = build("v1", map(redactor.event, events))
    assert "x" * 20 not in repr(trace)
    assert trace.logs[0].message == "key <secret LONG>"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ('Local Secret "API_KEY" was not found.', 'secrets = { API_KEY = "…" }'),
        ('ValueError: Local Secret "my key" was not found.', 'secrets = { "my key" = "…" }'),
        ("Unable to find block document named x for block type secret", None),
    ],
)
def test_a_secret_that_is_not_configured_has_its_line(said: str, line: str | None) -> None:
    """What Prefect 1 says becomes what to write."""
    found = absent(said)
    assert (found is None) if line is None else (found is not None and found.splitlines()[-1] == line)
