"""Maps in their order, several at once: those that others look into first.

Owns: which map may begin when, and the threads they are worked in.
Never does: what is done to a map; deciding which error ends everything (the caller says).
Tested in: tests/unit/operations/test_side_by_side.py, tests/acceptance/test_order.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def in_order(names: Sequence[str], before: Mapping[str, frozenset[str]]) -> list[str]:
    """The names, each behind those it needs; as they came where nothing needs anything.

    Where some need each other, the one that came first does not wait for the rest.
    """
    left, ordered = list(names), list[str]()
    while left:
        ready = [name for name in left if not before.get(name, frozenset()) & set(left) - {name}]
        ordered.append((ready or left)[0])
        left.remove(ordered[-1])
    return ordered


def side_by_side(
    names: Sequence[str],
    before: Mapping[str, frozenset[str]],
    at_once: int,
    work: Callable[[str], T],
    ended: Callable[[], bool],
) -> dict[str, T]:
    """`work` on each name, at most so many at once; what came of each that was begun.

    A name waits until all it needs are done. None is begun once `ended` says so; those under way
    come to their end. Whatever `work` raises is raised when they have.
    """
    left = in_order(names, before)
    begun: list[tuple[str, Future[T]]] = []
    with ThreadPoolExecutor(at_once, "map") as threads:
        while True:
            under_way = {name for name, future in begun if not future.done()}
            waiting = under_way | set(left)
            for name in list(left):
                if ended() or len(under_way) >= at_once:
                    break
                stuck = not under_way and name == left[0]  # they need each other
                if stuck or not before.get(name, frozenset()) & waiting - {name}:
                    left.remove(name)
                    under_way.add(name)
                    begun.append((name, threads.submit(work, name)))
            if not under_way:
                break
            wait([future for _, future in begun if not future.done()], None, FIRST_COMPLETED)
    return {name: future.result() for name, future in begun}
