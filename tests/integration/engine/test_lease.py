"""One worker per map: the lease is counted by the right clock, kept during long work, and lost
without a trace."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from connector.bootstrap import _limits
from connector.engine.cycle import sync
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.errors import LeaseHeldError
from connector.mapping.values import Side
from connector.settings import Settings
from connector.store.base import Store
from tests.integration.engine.scripted import Inline

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE
SIDE = {
    "url": "https://org.example",
    "authority": "https://login.example/tenant",
    "client_id": "app",
    "client_secret": "env:SECRET",
}


class Renewals:
    """A store that tells how often the lease was renewed."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def renew(self, *args: Any) -> Any:
        self.count += 1
        return self._store.renew(*args)


class Slow(Inline):
    """What is submitted is answered only after somebody has waited for it `patience` times."""

    def __init__(self, passing: Callable[[float], None], patience: int) -> None:
        self.passing = passing
        self.patience = patience

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done = super().submit(fn, *args, **kwargs)
        executor, left = self, self.patience

        class Late(Future[Any]):
            def done(self) -> bool:
                return left == 0

            def result(self, timeout: float | None = None) -> Any:
                nonlocal left
                if left and timeout is not None:
                    left -= 1
                    executor.passing(timeout)
                    raise TimeoutError
                return done.result()

        return Late()


@pytest.mark.parametrize("hours", [-5, 5])
def test_the_lease_is_counted_by_our_own_monotonic_clock(loaded: Bench, hours: int) -> None:
    """A store on another host may be hours off; its times say nothing about ours."""
    store = Renewals(loaded.open())
    passed = [1000.0]
    ports = replace(
        loaded.ports(),
        store=cast(Store, store),
        clock=lambda: time.time() + 3600 * hours,
        monotonic=lambda: passed[0],
    )
    map, entities = loaded.compiled()
    with running("sync", map, entities, ports, loaded.tuning) as run:
        run.hold()
        assert store.count == 0, "it was taken just now"
        passed[0] += run.limits.lease - run.limits.margin + 1
        run.hold()
        run.hold()
        assert store.count == 1, "it did not outlive the longest request any more"


def test_a_page_that_takes_longer_than_the_lease_does_not_lose_it(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="new")
    store = Renewals(loaded.open())
    passed = [1000.0]

    def passing(seconds: float) -> None:
        passed[0] += seconds

    ports = replace(
        loaded.ports(),
        store=cast(Store, store),
        monotonic=lambda: passed[0],
        executor=Slow(passing, patience=9),
    )
    map, entities = loaded.compiled()
    began = passed[0]
    margins: list[float] = []
    renew = store.renew

    def noted(*args: Any) -> Any:
        margins.append(passed[0])
        return renew(*args)

    store.renew = noted  # type: ignore[method-assign]
    with running("sync", map, entities, ports, loaded.tuning) as run:
        assert sync(run).finished
    assert passed[0] - began > 2 * loaded.limits.lease
    gaps = [b - a for a, b in zip([began, *margins], [*margins, passed[0]], strict=True)]
    assert max(gaps) < loaded.limits.lease, "it expired while we waited"
    assert loaded.card(D, "C1")["name"] == "new"


def test_neither_does_a_question_in_the_middle_of_a_run(loaded: Bench) -> None:
    """A side that is asked again and again for minutes, in the thread that holds the lease."""
    store = Renewals(loaded.open())
    passed = [1000.0]

    def passing(seconds: float) -> None:
        passed[0] += seconds

    signs: list[float] = []
    ports = replace(
        loaded.ports(),
        store=cast(Store, store),
        monotonic=lambda: passed[0],
        executor=Slow(passing, patience=9),
        alive=lambda: signs.append(passed[0]),
    )
    map, entities = loaded.compiled()
    with running("sync", map, entities, ports, loaded.tuning) as run:
        for ask in (
            lambda: run.endpoint(D).read("cards", ["name"], by=None, values=["x"]),
            lambda: run.endpoint(D).describe("cards"),
            lambda: run.endpoint(D).identity(),
            lambda: run.endpoint(D).scan("cards", ["name"], None),
            lambda: run.endpoint(D).changes("cards", ["name"], "name@0"),
        ):
            began, before = passed[0], store.count
            ask()
            assert passed[0] - began > 2 * run.limits.lease
            assert store.count - before >= 3
            assert len([sign for sign in signs if sign > began]) >= 8, "it looked dead"


def test_a_lease_is_short_and_outlives_every_request() -> None:
    """So long another machine waits after this one has died."""
    limits = _limits(settings())
    assert limits.lease <= 120
    assert limits.margin > settings().dataverse.timeout
    patient = _limits(settings(timeout=600))
    assert patient.lease > patient.margin > 600
    assert patient.silence > 2 * patient.margin


def settings(**dataverse: object) -> Settings:
    ledger = {"kind": "ledger", "url": "sqlite:///ledger.db"}
    return Settings.model_validate({"commerce": ledger, "dataverse": {**SIDE, **dataverse}})


def test_a_patient_worker_waits_for_one_that_is_soon_done(loaded: Bench) -> None:
    loaded.alone = False
    store = loaded.open()
    other = store.acquire("card", "live mode", 300.0)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            store.release(other)

    ports = replace(loaded.ports(), patience=60.0, sleep=sleep)
    map, entities = loaded.compiled()
    with running("sync", map, entities, ports, loaded.tuning) as run:
        assert len(waited) == 3
        assert run.lease.fencing == other.fencing + 1


def test_patience_comes_to_an_end(loaded: Bench) -> None:
    loaded.alone = False
    loaded.open().acquire("card", "a long load", 300.0)
    passed = [1000.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    ports = replace(loaded.ports(), patience=2.0, sleep=sleep, monotonic=lambda: passed[0])
    map, entities = loaded.compiled()
    with (
        pytest.raises(LeaseHeldError, match="another run works this map"),
        running("sync", map, entities, ports, loaded.tuning),
    ):
        pass
    assert 2.0 <= passed[0] - 1000.0 < 2.1


def steal(bench: Bench) -> None:
    """Another worker takes the map, as after a sleep longer than the lease."""
    bench.open().acquire("card", "somebody else", 300.0, lambda _holder: True)


@pytest.mark.parametrize("side", [C, D])
def test_a_worker_that_lost_its_lease_settles_nothing(loaded: Bench, side: Side) -> None:
    loaded.edit(side, "C1", **{"Name" if side is C else "name": "new"})
    target = loaded.dataverse if side is C else loaded.commerce
    before = loaded.record("C1")
    stolen: list[bool] = []

    def once() -> None:
        if not stolen:
            stolen.append(True)
            steal(loaded)

    target.before_write = once
    with pytest.raises(LeaseHeldError) as lost:
        loaded.sync()
    assert (lost.value.code, lost.value.exit_code) == ("lease-lost", 5)
    assert loaded.record("C1").side(side.other) == before.side(side.other), "it settled the reply"
    (intent,) = [row for row in loaded.history("C1") if row.kind.value == "update"]
    assert intent.outcome is None
    assert loaded.sync().finished, "the next one takes over: its own process is gone"
    loaded.assert_settled()
    assert loaded.writes() == 8 + 1


def test_a_worker_that_lost_its_lease_sends_nothing(loaded: Bench) -> None:
    """What was intended under a lost lease never leaves."""
    loaded.edit(C, "C1", Name="new")

    def work(run: MapRun) -> None:
        steal(loaded)
        with pytest.raises(LeaseHeldError):
            sync(run)

    loaded.run(work)
    assert loaded.writes() == 8
    assert "new" not in (loaded.record("C1").commerce.image or ())
