"""`python -m benchmarks.text`: the development set, counted like the test set, and its errors."""

from __future__ import annotations

from benchmarks.text.among import by_surroundings
from benchmarks.text.measure import by_group, by_label, by_language, judge
from benchmarks.text.records import LANGUAGES, labelled


def main() -> None:
    """Prints the tables of RESULTS.md for `dev`, and every text taken for what it is not."""
    sets = {language: labelled("dev", language) for language in LANGUAGES}
    judged = {language: judge(records) for language, records in sets.items()}
    for each in judged.values():
        for one in each:
            if one.abusive != one.flagged:
                record = one.record
                print(f"{record.ref} {sorted(record.labels)} {sorted(one.found)}: {record.text}")
    tables = (by_language(judged), by_label(judged), by_group(judged))
    for table in (*tables, by_surroundings(sets, judged)):
        print(f"\n{table.title}\n" + " | ".join(table.columns))
        for row in table.rows:
            print(" | ".join(row))


if __name__ == "__main__":
    main()
