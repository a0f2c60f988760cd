"""What a reward's file says that cannot be meant.

Owns: the findings about one document, alone and with the kinds and currencies of a ledger.
Never does: the form of a document (`programs/reading.py`), SQL.
Tested in: tests/unit/ledger/rewards/test_document.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.errors import Problem
from connector.ledger.fields import fold
from connector.ledger.programs.checks import Known
from connector.ledger.programs.reading import findings
from connector.ledger.programs.yaml_text import Place, YamlText
from connector.ledger.rewards.document import RewardDocument, Rounding


def examined(file: YamlText, known: Known) -> tuple[RewardDocument | None, list[Problem]]:
    """The document, None where its form is wrong, and all findings."""
    found = findings(RewardDocument, file)
    if isinstance(found, list):
        return None, found
    return found, list(_within(file, found, known))


def _within(file: YamlText, document: RewardDocument, known: Known) -> Iterator[Problem]:
    kind = known.kinds.get(fold(document.kind))
    if kind is None:
        yield Problem(
            "point-kind-unknown",
            f"the ledger has no kind of points `{document.kind}`",
            known.remedy(document.kind),
            file.subject("kind"),
        )
    elif kind.whole and (document.decimals or document.rounding is Rounding.NONE):
        yield Problem(
            "reward-rounding",
            f"points of the kind `{kind.name}` are whole, whatever the reward rounds to",
            "remove `decimals`, say how to round, or pay points of type Amount",
            file.subject("decimals"),
            "warning",
        )
    for code, *at in _currencies(document):
        if fold(str(code)) not in known.currencies:
            yield Problem(
                "currency-unknown",
                f"there is no currency {code}",
                "correct it",
                file.subject(*at),
            )


def _currencies(document: RewardDocument) -> Iterator[Place]:
    """Each currency, and where it stands."""
    if document.currency is not None:
        yield document.currency, "currency"
    for index, rule in enumerate(document.rules):
        if rule.order_total is not None:
            yield rule.order_total.currency, "rules", index, "order-total", "currency"
