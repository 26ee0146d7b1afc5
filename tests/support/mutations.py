"""Mutations of valid requests: hostile values in the place of good ones, and broken bytes."""

import json
from random import Random
from typing import Any

_LONG = "x" * 5_000

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 1.5, 1e308, -0.0),
    *(
        "",
        " ",
        "0",
        "-1",
        "null",
        "\x00",
        "a\nb",
        _LONG,
        "=1+1",
        "%s{0}",
        "'; --",
        "<b>",
        "../..",
        "\u202e",
        "\ud800",
    ),
    *(
        "3171075204857001",
        "0812-3456-7890",
        "\u0663\u0661\u0667" * 5,
        "\uff11\uff12\uff13\uff14",
        "3.17E+15",
        "\N{GRINNING FACE}" * 40,
        "\u00e9",
        "e\u0301",
    ),
    *("2024-10-09", "2024-02-30", "9999-12-31", "0001-01-01T00:00:00Z", "2024-10-09T11:12:00+07:00", "P1D"),
    *("tanah-abang-2024", "never-opened", "*", "7K4-M2Q-X9P", "0192f3a1-7c00-7000-8000-000000000002"),
    *([], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": []}}}, ["x"] * 300, [0, 0], [{}]),
]
PARAMETERS = [
    *(
        "x",
        "X" * 300,
        "%00",
        "%2F",
        "..",
        "a%20b",
        "%F0%9F%98%80",
        "%FF",
        "null",
        "*",
        "-",
        "7k4m2qx9p",
        "7K4M2QX9P",
    ),
    *(
        "2024-10-09",
        "2024-02-30",
        "2024-1-1",
        "0",
        "tanah-abang-2024",
        "0192f3a1-7c00-7000-8000-000000000002",
    ),
]
QUERIES = [
    *(
        "size=0",
        "size=-1",
        "size=1e3",
        "size=201",
        "size=1&size=2",
        "cursor=x",
        "cursor=%00",
        "cursor=" + "A" * 500,
    ),
    *(
        "day=2024-10-09",
        "day=x",
        "status=paid",
        "status=",
        "campaign_id=",
        "format=pdf",
        "format=csv",
        "format=xlsx",
    ),
    *(
        "dialect=excel",
        "version=0",
        "version=99999999999999999999",
        "language=xx",
        "language=in_ID",
        "unknown=1",
        "=",
    ),
]
HEADERS: list[dict[str, str]] = [
    *(
        {"content_type": each}
        for each in ("text/plain", "application/json; charset=x", "", "application/x-www-form-urlencoded")
    ),
    *({"accept": each} for each in ("text/html", "application/pdf", "*/*;q=0", ",,;", "text/csv")),
    *({"accept_language": each} for each in ("en", "xx", ";;q=", "in_ID,en;q=0", "*" * 200)),
    *({"content_encoding": each} for each in ("gzip", "br", "gzip, gzip")),
    {"if_none_match": '"x", W/"y"'},
]


def mutate_json(document: Any, random: Random) -> Any:
    """Return a JSON document in which a value was replaced, removed, repeated or added."""
    if not isinstance(document, dict | list) or not document:
        return random.choice(VALUES)
    changed: Any = dict(document) if isinstance(document, dict) else list(document)
    place = random.choice(list(changed) if isinstance(changed, dict) else range(len(changed)))
    match random.randrange(6):
        case 0 if isinstance(changed, dict):
            del changed[place]
        case 1 if isinstance(changed, dict):
            changed[random.choice(["", "note", "nik", "__class__", "x" * 200])] = random.choice(VALUES)
        case 1 | 2 if isinstance(changed, list):
            changed.extend(changed[:1] * random.choice([1, 250]))
        case 3 | 4:
            changed[place] = mutate_json(changed[place], random)
        case _:
            changed[place] = random.choice(VALUES)
    return changed


def mutate_bytes(body: bytes, random: Random) -> bytes:
    """Return a body with some bytes changed, cut, repeated or added."""
    if not body:
        return random.choice([b"{", b"null", b"\xff", b"[]", b'{"a":1}'])
    start = random.randrange(len(body))
    match random.randrange(5):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + bytes([random.randrange(256)]) + body[start + 1 :]
        case 2:
            return (
                body[:start]
                + random.choice([b"9" * 1_200, b"[" * 40, b'"', b"\xed\xa0\x80", b",", b"{}"])
                + body[start:]
            )
        case 3:
            return body[:start] + body[max(0, start - 40) :]
        case _:
            return body.replace(b":", b": ", 1).replace(b'"', b"'", random.randrange(3))


def mutate_body(body: Any, random: Random) -> bytes:
    """Return the bytes of a request's body, mutated as JSON, as bytes or not at all."""
    if body == b"":
        return mutate_bytes(b"", random) if random.random() < 0.3 else b""
    chance = random.random()
    for _ in range(random.choice([1, 1, 2, 3]) if chance < 0.65 else 0):
        body = mutate_json(body, random)
    raw = json.dumps(body).encode()
    return mutate_bytes(raw, random) if chance > 0.7 else raw
