"""Where lexicons are: in a folder, and in one of the platform's own beside it.

`EGIDE_LEXICON` names the latter. Its languages stand beside those that ship, or instead of one of
the same code, and its `escalation.yaml` adds terms. Classes and rules are those that ship.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from egide.errors import LexiconError

VARIABLE: Final = "EGIDE_LEXICON"
CLASSES: Final = "classes.yaml"
RULES: Final = "rules.yaml"
ESCALATION: Final = "escalation.yaml"
_SHARED: Final = (CLASSES, RULES, ESCALATION)


@dataclass(frozen=True, slots=True)
class Sources:
    """`folder` has the classes, rules and languages; `own` languages beside them, or None."""

    folder: Path
    own: Path | None = None

    def files(self) -> list[Path]:
        """All files that are read; LexiconError when a folder cannot be, or has one too many."""
        files = _yaml_files(self.folder)
        if self.own is None:
            return files
        own = _yaml_files(self.own)
        if not own:
            raise LexiconError(f"{self.own}: it has no lexicon; put one there, such as it.yaml")
        for path in own:
            if path.name in (CLASSES, RULES):
                raise LexiconError(
                    f"{path}: classes and rules are those that ship; take the file out"
                )
        return [*files, *own]

    def languages(self) -> list[Path]:
        """The lexicons of languages in `folder`."""
        return _languages(self.folder)

    def own_languages(self) -> list[Path]:
        """Those in `own`, which replace others of the same language."""
        return _languages(self.own) if self.own else []

    def escalations(self) -> list[Path]:
        """The terms of the escalation lane, and those that `own` adds."""
        added = self.own / ESCALATION if self.own else None
        return [self.folder / ESCALATION, *([added] if added and added.exists() else [])]


def own_folder() -> Path | None:
    """The folder that `EGIDE_LEXICON` names; None when it is not set. LexiconError if not there."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise LexiconError(f"{VARIABLE}={named[:200]}: no such folder; make it, or unset it")
    return folder


def check_own() -> None:
    """LexiconError when `EGIDE_LEXICON` is set to what cannot be used: before the first text."""
    if os.environ.get(VARIABLE):
        from egide.text.lexicon import load_lexicon  # noqa: PLC0415  where it is wanted

        load_lexicon()


def sources_in(folder: Path, shipped: Path) -> Sources:
    """A folder with classes or rules stands for itself, another one beside what ships."""
    if (folder / CLASSES).exists() or (folder / RULES).exists():
        return Sources(folder)
    return Sources(shipped, folder)


def _languages(folder: Path) -> list[Path]:
    return [path for path in _yaml_files(folder) if path.name not in _SHARED]


def _yaml_files(folder: Path) -> list[Path]:
    """The files that are read in `folder`; LexiconError for one that looks as if it were."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise LexiconError(f"{folder}: {error.strerror}; see that it can be read") from error
    for path in files:
        if path.suffix.lower() in (".yml", ".yaml") and path.suffix != ".yaml":
            raise LexiconError(f"{path.name}: it would not be read; name it {path.stem}.yaml")
    return [path for path in files if path.suffix == ".yaml"]
