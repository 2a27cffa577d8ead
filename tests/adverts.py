"""Invented adverts, posts and app listings: what a dump of a board or a store looks like.

Deterministic: the same seed gives the same dump. Providers, accounts and addresses do not exist.
`python -m tests.adverts` writes `examples/adverts`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "examples" / "adverts"
COUNT: Final = 220


@dataclass(frozen=True)
class Provider:
    """Somebody who advertises: from several hosts, by one channel, at one price."""

    hosts: tuple[str, ...]
    channel: str
    price: str


PROVIDERS: Final = (
    Provider(("pinecone.example", "pine-cone.example", "pine.example"), "pine_example", "$4.99"),
    Provider(("quartzite.example", "quartz-app.example"), "quartz_example", "9,99 €"),
    Provider(("saltmarsh.example",), "salt_example", "20 credits"),
    Provider(("copperkite.example",), "kite_example", "$19"),
)  # fmt: skip
_PITCHES: Final = (
    "Undress any photo with our AI. Try it free: {where}, then {price}.",
    "See her without clothes: upload a picture to our bot, {price} for ten. {where}",
    "New AI bot removes clothes from any photo. Anonymous, no logs. {where} from {price}, PayPal",
    "Undress anyone with AI, realistic results, first one free, then {price}: {where}",
)
_ORDINARY: Final = (
    "Portrait sessions by the old harbour, weekends in May. Book at harbour-studio.example",
    "Our app removes the background of your photos in one tap. Free trial: cutout.example",
    "Summer dresses, linen and cotton, sizes 34 to 52, 20 % off until Sunday. Code SUMMER20",
    "Lenses for sale: two primes and a zoom, hardly used, 450 € for all three.",
    "Learn watercolour in four evenings. Materials are in the price of $80. Write to us!",
    "We fixed the login bug, please update. Questions: t.me/harbour_help_example",
)
_TOLD: Final = (
    "Police arrested a man accused of using AI to undress women in photos, prosecutors said",
    "Someone made fake nudes of me with an app and is spreading them. What can I do?",
)
_APPS: Final = (
    ("Pretty Lens", "Remove the clothes from any photo of her with AI. One photo is enough.", "4+"),
    ("Cutout", "Remove the background of your pictures and keep the rest as it is.", "4+"),
    ("Lake Diary", "Write a page a day, with a photo if you like.", "4+"),
)


def records(count: int = COUNT, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` records of a board and of a store: two in five offer, the others do not."""
    choose = random.Random(seed)
    for number in range(1, count + 1):
        kind = choose.random()
        date = f"2025-{choose.randrange(1, 13):02}-{choose.randrange(1, 28):02}"
        if kind < 0.32:
            yield _advert(number, date, choose)
        elif kind < 0.5:
            yield _app(number, date, choose)
        elif kind < 0.6:
            text = choose.choice(_TOLD)
            yield {"id": f"t{number}", "text": text, "context": "post", "date": date}
        else:
            text = choose.choice(_ORDINARY)
            yield {"id": f"t{number}", "text": text, "context": "ad", "date": date}


def _advert(number: int, date: str, choose: random.Random) -> dict[str, Any]:
    provider = choose.choice(PROVIDERS)
    host = f"{choose.choice(provider.hosts)}/?ref=friend{choose.randrange(100, 110)}"
    where = choose.choice((host, f"{host} or t.me/{provider.channel}", f"@{provider.channel}"))
    text = choose.choice(_PITCHES).format(where=where, price=provider.price)
    return {"id": f"t{number}", "text": text, "context": "ad", "date": date}


def _app(number: int, date: str, choose: random.Random) -> dict[str, Any]:
    name, description, rating = choose.choice(_APPS)
    return {
        "trackId": 9_000_000 + number,
        "trackName": name,
        "description": description,
        "trackContentRating": rating,
        "sellerName": f"{name} Studio",
        "price": choose.choice((0, 1.99, 4.99)),
        "currency": "USD",
        "releaseDate": f"{date}T08:00:00Z",
    }


def main() -> None:
    """Writes the example."""
    FOLDER.mkdir(exist_ok=True)
    lines = (json.dumps(record, ensure_ascii=False) for record in records())
    (FOLDER / "adverts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
