"""Each wrong program is refused with a code, at the line, with a remedy.

The cases stand in `wrong_documents.py`.
"""

from __future__ import annotations

import pytest

from connector.errors import ConfigError, Problem
from connector.ledger.programs.checks import examined
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.yaml_text import read_yaml
from tests.unit.ledger.programs.wrong_documents import (
    COUNT,
    FORM,
    KNOWN,
    MEANING,
    RULE,
    WARNINGS,
    YAML,
)


def marked(text: str) -> int | None:
    """The line that the finding must name, from 1."""
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "#!" in line]
    return lines[-1] if lines else None


def findings(text: str) -> list[Problem]:
    return examined(read_yaml(text, "a.yaml"), KNOWN)[1]


@pytest.mark.parametrize(("code", "text", "remedy"), FORM.values(), ids=FORM.keys())
def test_a_wrong_form_is_refused(code: str, text: str, remedy: str) -> None:
    file = read_yaml(text, "a.yaml")
    with pytest.raises(ConfigError) as caught:
        parsed(ProgramDocument, file)
    assert caught.value.code == code
    assert (caught.value.subject.file, caught.value.subject.line) == ("a.yaml", marked(text))
    assert remedy in caught.value.remedy
    assert examined(file)[0] is None


@pytest.mark.parametrize(("code", "text", "remedy"), YAML.values(), ids=YAML.keys())
def test_broken_yaml_is_refused(code: str, text: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "a.yaml")
    assert caught.value.code == code
    assert caught.value.subject.file == "a.yaml"
    if marked(text) is not None:
        assert abs((caught.value.subject.line or 0) - (marked(text) or 0)) <= 1
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(("code", "text", "remedy"), MEANING.values(), ids=MEANING.keys())
def test_what_cannot_be_meant_is_refused(code: str, text: str, remedy: str) -> None:
    errors = [one for one in findings(text) if one.severity == "error"]
    assert [one.code for one in errors] == [code]
    assert errors[0].subject.line == marked(text)
    assert remedy in errors[0].remedy


@pytest.mark.parametrize(("code", "text", "remedy"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_may_be_a_mistake_is_a_warning(code: str, text: str, remedy: str) -> None:
    (found,) = findings(text)
    assert (found.code, found.severity) == (code, "warning")
    assert found.subject.line == marked(text)
    assert remedy in found.remedy


@pytest.mark.parametrize(
    "tiers",
    [
        (
            "[{tier: s, level: 1, points: 500, kind: bonus, within: 12 months}, "
            "{tier: g, level: 2, points: 500, kind: bonus, within: 1 month}]"
        ),
        "[{tier: s, level: 1, points: 9, kind: bonus}, {tier: g, level: 2, points: 1, kind: cash}]",
        "[{tier: s, level: 2, points: 5, kind: cash}, {tier: g, level: 9, points: 6, kind: cash}]",
    ],
)
def test_tiers_that_can_all_be_held_are_left_alone(tiers: str) -> None:
    assert findings(f"program: a\nearn: [{{{RULE}}}]\ntiers: {tiers}") == []


def test_all_findings_are_told_in_the_order_of_the_file() -> None:
    text = f"""program: a
earn:
  - {{{COUNT}, for: {{activities: [survey]}}}}
  - {{rule: x, by: sale, every: 1.5, points: 1, kind: bonus}}
  - {{rule: x, by: sale, points: 1, kind: nothing}}
"""
    found = [(one.code, one.subject.line) for one in findings(text)]
    assert found == [
        ("rule-never", 3),
        ("rule-contradiction", 4),
        ("rule-twice", 5),
        ("point-kind-unknown", 5),
    ]


def test_an_error_counts_the_others() -> None:
    with pytest.raises(ConfigError, match=r"and 1 more"):
        parsed(ProgramDocument, read_yaml("program: A\nmixed: maybe", "a.yaml"))
