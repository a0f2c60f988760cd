"""Users that may too little, are people, or look at secured columns; and how we sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import CARDS, Project, members
from tests.acceptance.living import living
from tests.unit.endpoints.web.test_certificates import made

if TYPE_CHECKING:
    pass

ROLE = "Loyalty sync"
LEAST = [
    "prvRead*",
    *(f"prv{right}msdyn_loyaltycard" for right in ("Create", "Write", "Delete")),
    *(f"prv{right}msdyn_loyaltyrewardpoint" for right in ("Create", "Write", "Delete", "Append")),
    "prvAppendToTransactionCurrency",
]
"""The role of docs/security.md."""


def limit(project: Project, *privileges: str) -> None:
    """From now on the connector has these privileges only; the agent is an administrator."""
    project.connector.switch("roles", {"user": "agent", "roles": ["System Administrator"]})
    project.connector.switch("roles", {"role": ROLE, "privileges": list(privileges)})
    project.connector.switch("roles", {"user": "connector", "roles": [ROLE]})


def found(project: Project, code: int = 2) -> list[tuple[str, str, str | None]]:
    """Code, message and table or field of each problem."""
    problems = project.json("check", code=code)["problems"]
    return [
        (one["code"], one["message"], one["subject"].get("field") or one["subject"].get("entity"))
        for one in problems
    ]


@pytest.fixture
def restored(project: Project) -> Iterator[Project]:
    """A project whose organization is reset by the administrator it had before."""
    yield project
    project.agent.switch("reset")


def test_the_least_role_is_enough_for_everything_but_provisioning(restored: Project) -> None:
    project = restored
    limit(project, *LEAST)
    assert found(project, 0) == []
    project.import_cards(members(5))
    project.json("load")
    project.edit("M100001", msdyn_cardtendertype=806380003)
    project.json("sync")
    project.json("ledger", "delete", "M100002")
    project.json("sync")
    assert project.verified()["compared"] == 4


@pytest.mark.parametrize(
    ("privilege", "table"),
    [
        ("Create", "msdyn_loyaltycard"),
        ("Write", "msdyn_loyaltycard"),
        ("Delete", "msdyn_loyaltycard"),
        ("Append", "msdyn_loyaltyrewardpoint"),
    ],
)
def test_a_missing_privilege_is_named_with_its_table(
    restored: Project, privilege: str, table: str
) -> None:
    limit(restored, *(one for one in LEAST if one != f"prv{privilege}{table}"))
    (problem,) = found(restored)
    assert problem[0] == "privilege-missing"
    assert f"{privilege} on {table}" in problem[1]
    assert problem[2] == table


def test_a_secured_column_is_refused_until_it_may_be_read_and_written(restored: Project) -> None:
    project = restored
    limit(project, *LEAST)
    column = {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "secured": True}
    project.agent.switch("columns", column)
    ((code, message, field),) = found(project)
    assert (code, field) == ("column-forbidden", "PartyNumber")
    assert "under column security" in message
    permit(project, canread=4, cancreate=0, canupdate=0)
    ((code, _, _),) = found(project)
    assert code == "column-forbidden"
    permit(project, canread=4, cancreate=4, canupdate=4)
    assert found(project, 0) == []


def test_what_a_secured_column_hides_is_not_taken_for_an_edit(restored: Project) -> None:
    project = restored
    (card,) = members(1)
    project.import_cards([{**card, "PartyNumber": "P-1"}])
    project.json("load")
    limit(project, *LEAST)
    column = {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "secured": True}
    project.agent.switch("columns", column)
    project.edit("M100000", msdyn_cardtendertype=806380000)
    result = project.call("sync", "--map", "loyalty-card", "--json", code=2)
    assert "column-forbidden" in result.stdout
    assert project.ledger("M100000")["PartyNumber"] == "P-1"
    permit(project, canread=4, cancreate=4, canupdate=4)
    project.json("sync", "--map", "loyalty-card")
    assert project.ledger("M100000")["PartyNumber"] == "P-1"
    assert project.ledger("M100000")["CardTenderType"] == "AsCardTender"


def test_a_column_secured_while_live_mode_works_clears_nothing(
    restored: Project, tmp_path: Path
) -> None:
    project = restored
    limit(project, *LEAST)
    project.import_cards([{**card, "PartyNumber": "P-1"} for card in members(2)])
    project.json("load")
    with living(project, tmp_path, SERVE__POLL_MIN="0.2", SERVE__POLL_MAX="0.5") as live:
        live.comes_to("active")
        column = {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "secured": True}
        project.agent.switch("columns", column)
        project.edit("M100000", msdyn_cardtendertype=806380003)
        live.comes_to("failing")
        (problem,) = [one["problem"] for one in live.health()["maps"] if one["problem"]]
        assert problem["code"] == "column-forbidden"
        assert problem["subject"]["field"] == "msdyn_partynumber"
        assert "loyalty-card: column-forbidden" in live.said()
        assert project.ledger("M100000")["PartyNumber"] == "P-1"
    permit(project, canread=4, cancreate=4, canupdate=4)
    project.json("sync")
    assert project.ledger("M100000")["PartyNumber"] == "P-1"
    assert project.ledger("M100000")["CardTenderType"] == "Blocked"
    project.verified()


def permit(project: Project, **rights: int) -> None:
    """A column security profile of the connector's for the party number."""
    made = project.agent.post(
        "fieldsecurityprofiles", json={"name": "p"}, headers={"Prefer": "return=representation"}
    ).json()
    profile = made["fieldsecurityprofileid"]
    permission = {
        "entityname": "msdyn_loyaltycard",
        "attributelogicalname": "msdyn_partynumber",
        "fieldsecurityprofileid@odata.bind": f"/fieldsecurityprofiles({profile})",
        **rights,
    }
    answer = project.agent.post("fieldpermissions", json=permission)
    assert answer.status_code == 204, answer.text
    user = project.connector.get("WhoAmI").json()["UserId"]
    reference = {"@odata.id": f"{project.agent.api}/fieldsecurityprofiles({profile})"}
    answer = project.agent.post(
        f"systemusers({user})/systemuserprofiles_association/$ref", json=reference
    )
    assert answer.status_code == 204, answer.text


def test_a_person_is_nobody_to_work_as(project: Project, sandbox: dict[str, Any]) -> None:
    """The agent's name is a person's: its edits would be taken for ours."""
    project.environment.update(
        DUALWRITE__DATAVERSE__CLIENT_ID=sandbox["agent_client_id"],
        TEST_CLIENT_SECRET=sandbox["agent_client_secret"],
    )
    codes = {code for code, _, _ in found(project)}
    assert "user-shared" in codes


def test_a_user_without_any_role(project: Project, sandbox: dict[str, Any]) -> None:
    project.environment.update(
        DUALWRITE__DATAVERSE__CLIENT_ID=sandbox["roleless_client_id"],
        TEST_CLIENT_SECRET=sandbox["roleless_client_secret"],
    )
    problems = project.json("check", code=2)["problems"]
    assert problems
    assert all(one["remedy"] for one in problems)


def test_provisioning_without_the_right_names_it(restored: Project) -> None:
    limit(restored, *LEAST)
    path = restored.folder / "mappings" / "tables" / "msdyn_loyaltycards.yaml"
    path.write_text(
        path.read_text("utf-8") + "  - {column: msdyn_Note, title: Note, type: text}\n", "utf-8"
    )
    error = restored.call("provision", "--json", code=2).error
    assert error["code"] == "privilege-missing"
    assert "prvCreateAttribute" in error["message"]


# ---------------------------------------------------------------------------- signing in


def test_by_certificate(project: Project, sandbox: dict[str, Any]) -> None:
    project.environment.update(
        DUALWRITE__DATAVERSE__AUTH="certificate",
        DUALWRITE__DATAVERSE__CERTIFICATE=f"file:{sandbox['client_certificate']}",
    )
    del project.environment["TEST_CLIENT_SECRET"]
    del project.environment["DUALWRITE__DATAVERSE__CLIENT_SECRET"]
    project.import_cards(members(3))
    assert project.json("check")["problems"] == []
    project.json("load")
    assert project.verified()["compared"] == 3


def refused(project: Project, sandbox: dict[str, Any]) -> dict[str, Any]:
    """The one problem `check` finds; no secret of the sandbox is in it."""
    (problem,) = project.json("check", code=2)["problems"]
    assert sandbox["client_secret"] not in str(problem)
    return dict(problem)


def test_an_expired_secret(project: Project, sandbox: dict[str, Any]) -> None:
    expired = Path(sandbox["ca"]).with_name("expired_secret")
    project.environment["DUALWRITE__DATAVERSE__CLIENT_SECRET"] = f"file:{expired}"
    problem = refused(project, sandbox)
    assert problem["code"] == "secret-expired"
    assert "create a new secret" in problem["remedy"]


def test_a_certificate_nobody_registered(
    project: Project, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "unknown.pem"
    path.write_text(made("stranger").pem, "utf-8")
    project.environment.update(
        DUALWRITE__DATAVERSE__AUTH="certificate",
        DUALWRITE__DATAVERSE__CERTIFICATE=f"file:{path}",
    )
    problem = refused(project, sandbox)
    assert problem["code"] == "certificate-unknown"
    assert made("stranger").sha1.upper() in problem["message"]


def test_a_certificate_that_is_none(
    project: Project, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "half.pem"
    path.write_text(made().certificate, "utf-8")
    project.environment.update(
        DUALWRITE__DATAVERSE__AUTH="certificate",
        DUALWRITE__DATAVERSE__CERTIFICATE=f"file:{path}",
    )
    assert project.call("check", "--json", code=2).error["code"] == "certificate-unusable"


def test_an_identity_the_machine_does_not_have(project: Project, sandbox: dict[str, Any]) -> None:
    del project.environment["DUALWRITE__DATAVERSE__CLIENT_SECRET"]
    project.environment.update(
        DUALWRITE__DATAVERSE__AUTH="managed-identity",
        DUALWRITE__DATAVERSE__CLIENT_ID="00000000-0000-4000-8000-000000000001",
        REQUESTS_CA_BUNDLE=str(sandbox["ca"]),
        AZURE_POD_IDENTITY_AUTHORITY_HOST=str(sandbox["dataverse"]),
    )
    assert refused(project, sandbox)["code"] == "identity-unknown"


@pytest.mark.parametrize("form", ["machine", "app service"])
def test_by_managed_identity(project: Project, sandbox: dict[str, Any], form: str) -> None:
    place = (
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST": str(sandbox["dataverse"])}
        if form == "machine"
        else {
            "IDENTITY_ENDPOINT": str(sandbox["identity_endpoint"]),
            "IDENTITY_HEADER": str(sandbox["identity_header"]),
        }
    )
    for name in ("AUTHORITY", "CLIENT_ID", "CLIENT_SECRET"):
        del project.environment[f"DUALWRITE__DATAVERSE__{name}"]
    project.environment.update(
        DUALWRITE__DATAVERSE__AUTH="managed-identity",
        # The real service is asked over http at an address of the machine itself.
        REQUESTS_CA_BUNDLE=str(sandbox["ca"]),
        **place,
    )
    assert project.json("check")["problems"] == []


def test_processes_share_a_token(project: Project) -> None:
    """The second command asks nobody; `check` puts what signs us in to the proof."""
    project.import_cards(members(2))
    project.json("load")
    project.forget_requests()
    project.run("sync")
    assert "token" not in project.connector.counts()
    project.json("check")
    assert project.connector.counts()["token"] >= 1


def test_a_revoked_token_in_the_file_is_replaced(project: Project) -> None:
    project.import_cards(members(2))
    project.json("load")
    (kept,) = (project.folder / "var" / "tokens").iterdir()
    text = kept.read_text("utf-8")
    token = text.partition('"token": "')[2].partition('"')[0]
    kept.write_text(text.replace(token, token[:-4] + "AAAA"), "utf-8")
    project.edit("M100001", msdyn_cardtendertype=806380003)
    project.run("sync")
    assert project.ledger("M100001")["CardTenderType"] == "Blocked"
    assert project.cards().keys() == {row["msdyn_cardnumber"] for row in project.rows(CARDS)}


@pytest.mark.parametrize("right", ["Create", "Write", "Delete"])
def test_a_right_taken_away_ends_the_run_and_sets_nothing_aside(
    restored: Project, right: str
) -> None:
    """One answer for the person who gives roles, not one per card."""
    project = restored
    project.import_cards(members(3))
    project.json("load")
    limit(project, *(one for one in LEAST if one != f"prv{right}msdyn_loyaltycard"))
    change = {
        "Create": ("set", "NEW1", "CardTenderType=NoTender", "--create"),
        "Write": ("set", "M100001", "CardTenderType=NoTender"),
        "Delete": ("delete", "M100001"),
    }[right]
    project.json("ledger", *change)
    result = project.call("sync", "--json", code=2)
    assert "privilege-missing" in result.stdout
    assert f"{right.lower()} on msdyn_loyaltycard" in result.stdout.lower()
    assert project.json("failures", "list")["failures"] == []
    limit(project, *LEAST)
    project.json("sync")
    project.verified()


def test_several_users_share_the_work_and_none_is_taken_for_a_person(
    project: Project, sandbox: dict[str, Any]
) -> None:
    users = [
        {"client_id": sandbox[f"{who}_client_id"], "client_secret": f"env:SECRET_OF_{who.upper()}"}
        for who in ("second", "third")
    ]
    project.environment.update(
        DUALWRITE__DATAVERSE__USERS=json.dumps(users),
        SECRET_OF_SECOND=sandbox["second_client_secret"],
        SECRET_OF_THIRD=sandbox["third_client_secret"],
    )
    project.import_cards(members(60))
    assert project.json("check")["problems"] == []
    project.json("load")
    project.json("ledger", "set", "M100001", "CardTenderType=NoTender")
    project.json("sync")
    project.forget_requests()
    project.json("sync")
    assert project.written() == {}, "what another of our users wrote is an echo, not an edit"
    assert project.verified()["compared"] == 60
    kept = list((project.folder / "var" / "tokens").iterdir())
    assert len(kept) == 3, "each user has a token of its own"
