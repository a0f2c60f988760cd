"""Program files nobody can mean, or that may be a mistake.

By what is wrong: a code, a document in which `#!` marks the line the finding must name, and some
words of the remedy.
"""

from __future__ import annotations

from connector.ledger.programs.checks import Known
from tests.unit.ledger.programs.making import KINDS

KNOWN = Known(KINDS, frozenset({"eur", "usd"}), frozenset({"052"}))
RULE = "rule: base, by: amount, currency: EUR, points: 1, kind: bonus"
COUNT = "rule: count, by: quantity, points: 1, kind: bonus"
DONE = "rule: done, by: activity, points: 1, kind: bonus"

FORM = {
    "unknown key": ("document-unknown-key", "program: a\ntitel: A #!", "did you mean `title`?"),
    "unknown key of nothing near": ("document-unknown-key", "program: a\nxyz: 1 #!", "remove it"),
    "unknown key of a rule": (
        "document-unknown-key",
        f"program: a\nearn:\n  - {{{RULE}, step: whole}}\n  - {{{COUNT}, evry: 2}} #!",
        "did you mean `every`?",
    ),
    "key of a field name": (
        "document-unknown-key",
        f"program: a\nearn:\n  - {{{RULE}, for: {{first: 2026-01-01}}}} #!",
        "",
    ),
    "unknown condition": (
        "document-unknown-key",
        f"program: a\nearn:\n  - {{{RULE}, for: {{product: [x]}}}} #!",
        "did you mean `products`?",
    ),
    "no program": ("document-missing-key", "title: A #!", "add `program"),
    "no kind": (
        "document-missing-key",
        "program: a\nearn:\n  - {rule: x, by: sale, points: 1} #!",
        "add `kind",
    ),
    "no points": (
        "document-missing-key",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus} #!",
        "add `points",
    ),
    "a list instead of a program": ("document-not-a-table", "[a, b] #!", "program: NAME"),
    "nothing at all": ("document-not-a-table", "#!", "program: NAME"),
    "a name in capitals": ("document-wrong-value", "program: Gold #!", "gold-club"),
    "a name that is too long": ("document-wrong-value", f"program: {'a' * 33} #!", "shorter"),
    "a name that is a number": ("document-wrong-value", "program: 7 #!", "quotes"),
    "divide by zero": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, every: 0}} #!",
        "above 0",
    ),
    "less than zero": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, every: -1}} #!",
        "above 0",
    ),
    "points of nothing": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: 0} #!",
        "above 0",
    ),
    "points in quotes": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: '5'} #!",
        "without quotes",
    ),
    "points with an exponent": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: 1e3} #!",
        "without quotes",
    ),
    "points that are true": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: true} #!",
        "a number",
    ),
    "too many points": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: 1000000001} #!",
        "1000000000",
    ),
    "too fine a number": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: sale, kind: bonus, points: 0.00001} #!",
        "round it",
    ),
    "worth nothing": (
        "document-wrong-value",
        "program: a\nredeem:\n  - {kind: bonus, currency: EUR, points: 100, worth: 0} #!",
        "above 0",
    ),
    "unknown manner": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: amonut, kind: bonus, points: 1} #!",
        "did you mean `amount`?",
    ),
    "unknown weekday": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{weekdays: [sat]}}}} #!",
        "saturday",
    ),
    "an empty list": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{products: []}}}} #!",
        "leave the key out",
    ),
    "one product without a list": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{products: x}}}} #!",
        "[ONE",
    ),
    "an empty name": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{products: ['']}}}} #!",
        "at least one character",
    ),
    "a day that is none": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{from: 2026-02-30}}}} #!",
        "2026-12-31",
    ),
    "a day as a number": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{until: 20260101}}}} #!",
        "2026-12-31",
    ),
    "a day that the ledger cannot hold": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: {{until: 9999-12-31}}}} #!",
        "2026-12-31",
    ),
    "a currency in small letters": (
        "document-wrong-value",
        "program: a\nearn:\n  - {rule: x, by: amount, currency: eur, kind: b, points: 1} #!",
        "three capitals",
    ),
    "a table where rules stand": (
        "document-wrong-value",
        f"program: a\nearn: #!\n  base: {{{RULE}}}",
        "[ONE",
    ),
    "a text where a rule stands": ("document-wrong-value", "program: a\nearn: [base] #!", "KEY"),
    "conditions that are nothing": (
        "document-wrong-value",
        f"program: a\nearn:\n  - {{{RULE}, for: }} #!",
        "KEY",
    ),
    "a span without a unit": (
        "document-wrong-value",
        "program: a\ntiers:\n  - {tier: s, level: 1, points: 5, kind: bonus, within: 12} #!",
        "",
    ),
    "a span of weeks": (
        "document-wrong-value",
        "program: a\ntiers:\n  - {tier: s, level: 1, points: 5, kind: bonus, within: 2 weeks} #!",
        "12 months",
    ),
    "a level below one": (
        "document-wrong-value",
        "program: a\ntiers:\n  - {tier: s, level: 0, points: 5, kind: bonus} #!",
        "1 or more",
    ),
    "pooled by a word": ("document-wrong-value", "program: a\npooled: household #!", "true"),
    "mixed by a truth": ("document-wrong-value", "program: a\nmixed: false #!", "rest"),
    "an extension with a list": (
        "document-wrong-value",
        "program: a\nextensions:\n  - {use: gift, with: [1]} #!",
        "KEY",
    ),
}
YAML = {
    "not closed": ("yaml-broken", "program: a\nearn: [\n #!", ""),
    "a tab": ("yaml-broken", "program: a\n\tearn: [] #!", "tabs"),
    "two documents": ("yaml-broken", "program: a\n--- #!\nprogram: b", ""),
    "a tag": ("yaml-broken", "program: !!python/name:os.system a #!", "!"),
    "a tag that its value does not fit": ("yaml-broken", "program: !!int abc #!", "!"),
    "an alias of nothing": ("yaml-broken", "program: *a #!", ""),
    "a key that is a list": ("yaml-broken", "[a]: b #!", "KEY: VALUE"),
    "an escaped control character": (
        "yaml-broken",
        'program: a\ntitle: "a\\0b" #!',
        "backslash",
    ),
    "a control character": ("yaml-broken", "program: a\ntitle: \x07 #!", "control"),
    "a key twice": ("yaml-duplicate-key", "program: a\ntitle: A\nprogram: b #!", "one of the two"),
    "an alias of itself": ("yaml-too-deep", "program: &a [*a] #!", "itself"),
    "aliases of aliases": (
        "yaml-too-large",
        "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]" for n in range(9)),
        "aliases",
    ),
    "very deep": ("yaml-too-deep", "program: " + "[" * 40 + "]" * 40 + " #!", "nesting"),
    "deeper than the reader goes": ("yaml-too-deep", "[" * 5_000 + "]" * 5_000, "nesting"),
}
MEANING = {
    "a rule twice": (
        "rule-twice",
        f"program: a\nearn:\n  - {{{RULE}}}\n  - {{{RULE}, for: {{groups: [x]}}}} #!",
        "rename one",
    ),
    "a tier twice": (
        "tier-twice",
        (
            "program: a\ntiers:\n  - {tier: s, level: 1, points: 5, kind: bonus}\n"
            "  - {tier: s, level: 2, points: 9, kind: bonus} #!"
        ),
        "rename one",
    ),
    "a level twice": (
        "tier-twice",
        (
            "program: a\ntiers:\n  - {tier: s, level: 1, points: 5, kind: bonus}\n"
            "  - {tier: g, level: 1, points: 9, kind: bonus} #!"
        ),
        "its own",
    ),
    "tiers in disorder": (
        "tier-order",
        (
            "program: a\ntiers:\n  - {tier: g, level: 2, points: 9, kind: bonus}\n"
            "  - {tier: s, level: 1, points: 5, kind: bonus} #!"
        ),
        "lowest",
    ),
    "a tier nobody stays in": (
        "tier-unreachable",
        (
            "program: a\ntiers:\n"
            "  - {tier: s, level: 1, points: 500, kind: bonus, within: 12 months} #!\n"
            "  - {tier: g, level: 2, points: 500, kind: bonus, within: 1 year}"
        ),
        "more points",
    ),
    "an unknown tier": (
        "tier-unknown",
        (
            "program: a\ntiers:\n  - {tier: gold, level: 1, points: 5, kind: bonus}\nearn:\n"
            f"  - {{{RULE}, for: {{tiers: [glod]}}}} #!"
        ),
        "did you mean `gold`?",
    ),
    "a tier of no list": (
        "tier-unknown",
        (
            "program: a\nredeem:\n"
            "  - {kind: bonus, currency: EUR, points: 1, worth: 1, not-for: {tiers: [gold]}} #!"
        ),
        "`tiers`",
    ),
    "an empty period": (
        "period-empty",
        f"program: a\nearn:\n  - {{{RULE}, for: {{from: 2026-02-01, until: 2026-01-01}}}} #!",
        "exchange",
    ),
    "an empty exception": (
        "period-empty",
        f"program: a\nearn:\n  - {{{RULE}, not-for: {{from: 2026-02-01, until: 2026-01-01}}}} #!",
        "exchange",
    ),
    "an empty period of payment": (
        "period-empty",
        (
            "program: a\nredeem:\n  - {kind: bonus, currency: EUR, points: 1, worth: 1,\n"
            "     for: {from: 2026-02-01,\n until: 2026-01-01}} #!"
        ),
        "exchange",
    ),
    "a weekday that never comes": (
        "rule-never",
        (
            f"program: a\nearn:\n  - {{{RULE}, "
            "for: {from: 2026-03-02, until: 2026-03-06, weekdays: [sunday]}} #!"
        ),
        "correct the conditions",
    ),
    "a period that is shut out": (
        "rule-never",
        (
            f"program: a\nearn:\n  - {{{RULE}, for: {{from: 2026-03-02, until: 2026-03-06}}, "
            "not-for: {from: 2026-03-01}} #!"
        ),
        "correct the conditions",
    ),
    "all weekdays shut out": (
        "rule-never",
        (
            f"program: a\nearn:\n  - {{{RULE}, for: {{weekdays: [sunday]}}, "
            "not-for: {weekdays: [sunday, monday]}} #!"
        ),
        "correct the conditions",
    ),
    "a product that is shut out": (
        "rule-never",
        (
            f"program: a\nearn:\n  - {{{RULE}, for: {{products: [Shoe]}}, "
            "not-for: {products: [shoe]}} #!"
        ),
        "correct the conditions",
    ),
    "a group that is excluded": (
        "rule-never",
        f"program: a\nexcluded: [staff]\nearn:\n  - {{{RULE}, for: {{groups: [Staff]}}}} #!",
        "correct the conditions",
    ),
    "an activity of a product": (
        "rule-never",
        f"program: a\nearn:\n  - {{{DONE}, for: {{products: [x]}}}} #!",
        "correct the conditions",
    ),
    "an activity of so much": (
        "rule-never",
        f"program: a\nearn:\n  - {{{DONE}, for: {{least-quantity: 2}}}} #!",
        "correct the conditions",
    ),
    "an activity in a currency": (
        "rule-never",
        f"program: a\nearn:\n  - {{{DONE}, currency: EUR}} #!",
        "correct the conditions",
    ),
    "a sale of an activity": (
        "rule-never",
        f"program: a\nearn:\n  - {{{COUNT}, for: {{activities: [survey]}}}} #!",
        "correct the conditions",
    ),
    "an amount of no currency": (
        "rule-currency",
        "program: a\nearn:\n  - {rule: x, by: amount, points: 1, kind: bonus} #!",
        "currency: EUR",
    ),
    "a least amount of no currency": (
        "rule-currency",
        f"program: a\nearn:\n  - {{{COUNT}, for: {{least-amount: 10}}}} #!",
        "currency: EUR",
    ),
    "each one and a half sale": (
        "rule-contradiction",
        "program: a\nearn:\n  - {rule: x, by: sale, every: 1.5, points: 1, kind: bonus} #!",
        "whole number",
    ),
    "whole steps of sales": (
        "rule-contradiction",
        "program: a\nearn:\n  - {rule: x, by: sale, step: whole, points: 1, kind: bonus} #!",
        "remove `step`",
    ),
    "an unknown kind": (
        "point-kind-unknown",
        "program: a\nearn:\n  - {rule: x, by: sale, points: 1, kind: bonsu} #!",
        "did you mean `Bonus`?",
    ),
    "an unknown kind of a tier": (
        "point-kind-unknown",
        f"program: a\nearn: [{{{RULE}}}]\ntiers:\n  - {{tier: s, level: 1, points: 5, kind: x}} #!",
        "`dualwrite ledger set x RewardPointType=Quantity",
    ),
    "a kind that does not pay": (
        "points-not-redeemable",
        "program: a\nredeem:\n  - {kind: status, currency: EUR, points: 1, worth: 1} #!",
        "redeemable",
    ),
    "an unknown currency": (
        "currency-unknown",
        "program: a\nearn:\n  - {rule: x, by: amount, currency: ERU, points: 1, kind: bonus} #!",
        "correct it",
    ),
    "an unknown currency of payment": (
        "currency-unknown",
        "program: a\nredeem:\n  - {kind: bonus, currency: XXX, points: 1, worth: 1} #!",
        "correct it",
    ),
}
WARNINGS = {
    "rules that overlap": (
        "rules-overlap",
        f"program: a\nearn:\n  - {{{RULE}}}\n  - {{{RULE.replace('base', 'more')}}} #!",
        "not-for",
    ),
    "no rules": ("program-idle", "program: a #!", "earn"),
    "money of another currency": (
        "currency-other",
        "program: a\nearn:\n  - {rule: x, by: amount, currency: USD, points: 1, kind: cash} #!",
        "EUR",
    ),
    "an unknown store": (
        "unit-unknown",
        f"program: a\nearn:\n  - {{{RULE}, for: {{units: [053]}}}} #!",
        "did you mean `052`?",
    ),
}
