"""The same texts among sentences about other things, before and after them.

Neither who asks for something nor what a filter says of it changes by them; a filter that scores a
text as a whole may lose sight of it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from benchmarks.results import Table
from benchmarks.text import score, screens
from benchmarks.text.records import LANGUAGES
from benchmarks.text.score import Judged

if TYPE_CHECKING:
    from benchmarks.text.records import Record

COUNTS: Final = (1, 3, 6)
"""So many sentences are put around a text."""
SENTENCES: Final = {
    "en": (
        "The ferry to the old harbour leaves at nine.",
        "Dinner is at seven.",
        "Please use warm light and a soft background.",
        "We walked along the river and talked about the new bridge.",
        "The library is closed on Mondays.",
        "My brother fixed the bike yesterday and it runs well now.",
        "Bring a coat, it is windy in the evenings.",
        "I like old maps, long walks and strong tea.",
        "The tomatoes on the balcony are almost ripe.",
        "Send me the invoice when you have time.",
    ),
    "fr": (
        "Le bac pour le vieux port part à neuf heures.",
        "Le dîner est à sept heures.",
        "Prends une lumière chaude et un fond doux, s'il te plaît.",
        "Nous avons marché le long de la rivière et parlé du nouveau pont.",
        "La bibliothèque est fermée le lundi.",
        "Mon frère a réparé le vélo hier et il roule bien.",
        "Prenez un manteau, il y a du vent le soir.",
        "J'aime les vieilles cartes et le thé fort.",
        "Les tomates du balcon sont presque mûres.",
        "Envoie-moi la facture quand tu auras le temps.",
    ),
    "es": (
        "El barco al puerto viejo sale a las nueve.",
        "La cena es a las siete.",
        "Usa una luz cálida y un fondo suave, por favor.",
        "Paseamos por el río y hablamos del puente nuevo.",
        "La biblioteca cierra los lunes.",
        "Mi hermano arregló la bici ayer y ya funciona bien.",
        "Trae un abrigo, que por la tarde hace viento.",
        "Me gustan los mapas antiguos y el té fuerte.",
        "Los tomates del balcón están casi maduros.",
        "Mándame la factura cuando tengas tiempo.",
    ),
    "de": (
        "Die Fähre zum alten Hafen fährt um neun.",
        "Das Abendessen ist um sieben.",
        "Nimm bitte warmes Licht und einen weichen Hintergrund.",
        "Wir sind am Fluss entlanggegangen und haben über die neue Brücke geredet.",
        "Die Bibliothek hat montags geschlossen.",
        "Mein Bruder hat gestern das Rad repariert und es läuft wieder gut.",
        "Bring einen Mantel mit, abends ist es windig.",
        "Ich mag alte Karten und starken Tee.",
        "Die Tomaten auf dem Balkon sind fast reif.",
        "Schick mir die Rechnung, wenn du Zeit hast.",
    ),
}
_ENDS: Final = (".", "!", "?", "…", "\n")


def among(record: Record, count: int) -> str:
    """The record's text with `count` different sentences around it: the same each time."""
    random = Random(f"among:{count}:{record.text}")
    others = random.sample(SENTENCES[record.language], count)
    before = random.randint(0, count)
    text = record.text.strip()
    own = text if text.endswith(_ENDS) else f"{text}."
    return " ".join((*others[:before], own, *others[before:]))


def by_surroundings(sets: dict[str, list[Record]], judged: dict[str, list[Judged]]) -> Table:
    """Recall and false positives of a language, alone (`judged`) and among other sentences."""
    rows = [_row("none", judged)]
    for count in COUNTS:
        found = {
            language: [
                Judged(one, frozenset(screens.labels_of(one, among(one, count)))) for one in records
            ]
            for language, records in sets.items()
        }
        rows.append(_row(str(count), found))
    columns = (
        "sentences around it", *(f"recall {code}" for code in LANGUAGES),
        *(f"false positives {code}" for code in LANGUAGES),
    )  # fmt: skip
    return Table("The same texts among other sentences:", columns, rows)


def _row(name: str, found: dict[str, list[Judged]]) -> tuple[str, ...]:
    return (
        name,
        *(f"{score.recall(each).share:.1%}" for each in found.values()),
        *(f"{score.false_positives(each).share:.1%}" for each in found.values()),
    )
