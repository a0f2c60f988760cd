"""The section of the config that says who may correct how many points.

Owns: `[corrections]`.
Never does: deciding on a request; the ledger does, it is handed these limits when it is opened.
Tested in: tests/unit/config/test_correction_settings.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field, model_validator

from connector.config.values import Section


class AllowanceSettings(Section):
    """How much somebody may ask for; without a key there is no limit of that kind."""

    per_request: Decimal | None = Field(default=None, gt=0)
    """Points one request may add or take away."""
    per_day: Decimal | None = Field(default=None, gt=0)
    """Points posted for one person within a day, added and taken away alike, of all kinds."""
    kinds: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Kinds of points, by their RewardPointId; all where left out."""


class PersonSettings(AllowanceSettings):
    """Somebody who may ask; what is left out is as for everybody."""

    name: str = Field(min_length=1)
    """What the map carries to `RequestedBy`: a user name, a user's id, a team; `*` is whoever is
    not named."""


class CorrectionSettings(AllowanceSettings):
    """Limits of the corrections that come from outside the embedded ledger."""

    per_card_day: Decimal | None = Field(default=None, gt=0)
    """Points posted to one card within a day, whoever asks."""
    reason: bool = True
    """Whether a request has to say why."""
    people: tuple[PersonSettings, ...] = ()
    """Who may ask; everybody where nobody is named."""

    @property
    def everybody(self) -> AllowanceSettings:
        """What holds for all who have no limits of their own."""
        return AllowanceSettings(
            per_request=self.per_request, per_day=self.per_day, kinds=self.kinds
        )

    def of(self, person: PersonSettings) -> AllowanceSettings:
        """What holds for somebody who is named."""
        own = person.model_dump(exclude={"name"}, exclude_none=True)
        return self.everybody.model_copy(update=own)

    def named_kinds(self) -> frozenset[str]:
        """Every kind that is named anywhere."""
        return frozenset(kind for one in (self, *self.people) for kind in (one.kinds or ()))

    @model_validator(mode="after")
    def _sound(self) -> CorrectionSettings:
        names = [person.name.casefold() for person in self.people]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"people: {name} is named twice")
        for whose, most in self._beyond():
            raise ValueError(f"{whose}per_request must not be greater than {most}")
        return self

    def _beyond(self) -> Iterator[tuple[str, str]]:
        """Limits of one request that a limit of the day cuts short."""
        named = [(f"people {one.name}: ", self.of(one)) for one in self.people]
        for whose, limits in [("", self.everybody), *named]:
            if limits.per_request is None:
                continue
            if limits.per_day is not None and limits.per_request > limits.per_day:
                yield whose, "per_day"
            if self.per_card_day is not None and limits.per_request > self.per_card_day:
                yield whose, "per_card_day"
