"""What the service says to the questions of its workers."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from egide.errors import EgideError
from egide.match import Lookup
from egide.sandbox.messages import Align, Duration, Links, Question, Ready, Search

if TYPE_CHECKING:
    from egide.provenance.account import Link
    from egide.provenance.statements import NamedModel
    from egide.registry import Registry


class Asked:
    """What a worker may ask for one item: `banks` by their numbers, and what gives a registry."""

    def __init__(
        self, banks: Sequence[Lookup], registry: Callable[[], Registry | None] | None = None
    ) -> None:
        self._banks = banks
        self._registry = registry

    def answer(self, question: Question | Ready) -> bytes:
        """The answer, or the EgideError that was raised, pickled; ValueError for no question.

        Whoever took over a worker can ask what it likes: numbers are checked here, values by those
        who are asked.
        """
        answer: Any
        try:
            match question:
                case Ready():
                    raise ValueError("a worker began twice")
                case Links():
                    answer = self._links(question.models)
                case _:
                    answer = self._of_bank(question)
        except EgideError as error:
            answer = error
        return pickle.dumps(answer)

    def _of_bank(self, question: Search | Align | Duration) -> Any:
        if not 0 <= question.bank < len(self._banks):
            raise ValueError("a worker asked for a bank that is not in its task")
        bank = self._banks[question.bank]
        match question:
            case Search():
                return bank.search(question.queries, question.threshold)
            case Align():
                from egide._kernel import LocalFeatures  # noqa: PLC0415  where parts are looked for

                return bank.align([LocalFeatures.unpack(each) for each in question.queries])
            case Duration():
                return bank.duration(question.entry)

    def _links(self, models: Sequence[NamedModel]) -> tuple[Link, ...]:
        registry = None if self._registry is None else self._registry()
        return () if registry is None else registry.links(models)
