"""Asks the database once for what several rules ask of it alike.

In: a method that reads, and its arguments. Out: its answer, the same object for the same arguments as long as
the instance lives, which is one transaction: rules are asked after all that the transaction stores. Never
remembers beyond that, and never more than `_MOST` answers.
"""

import functools
from collections.abc import Callable, Hashable
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

_MOST: Final = 4096

P = ParamSpec("P")
T = TypeVar("T")


class Remembers(Protocol):
    """What has answers of its own."""

    @property
    def answers(self) -> dict[Hashable, Any]:
        """The answers so far."""


S = TypeVar("S", bound=Remembers)


def asked_once(ask: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Ask once for the same arguments; all of them must be hashable."""
    name = ask.__name__

    def answer(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (name, args, tuple(sorted(kwargs.items())))
        answers = self.answers
        if key not in answers:
            if len(answers) >= _MOST:
                answers.clear()
            answers[key] = ask(self, *args, **kwargs)
        found: T = answers[key]
        return found

    functools.update_wrapper(answer, ask)
    return answer
