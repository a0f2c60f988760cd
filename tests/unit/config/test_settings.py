"""Settings: defaults, environment, and every mistake as one clear error without its value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config.schema import schema_of
from connector.config.values import read_secret
from connector.errors import ConfigError
from connector.settings import DEFAULT_PATH, Settings, load_settings
from connector.shipped import shipped

VALID = """\
[commerce]
kind = "ledger"
url = "sqlite:///var/ledger.db"

[dataverse]
url = "https://crm.example/"
authority = "https://login.example/tenant"
client_id = "app"
client_secret = "env:CRM_SECRET"
"""
LITERAL = "s3cr3t-Value"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        file = tmp_path / "connector.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def refusal(file: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return caught.value


def test_defaults_fill_what_the_file_leaves_out(write: Write) -> None:
    settings = load_settings(write(VALID))
    assert settings.dataverse.auth == "client-secret"
    assert settings.dataverse.url == "https://crm.example"
    assert settings.commerce.kind == "ledger"
    assert settings.store.url == "sqlite:///var/state.db"
    assert settings.maps.path == Path("mappings")
    assert (settings.guard.deletes.rows, settings.guard.deletes.share) == (100, 0.05)


def test_dotted_keys_reach_nested_settings(write: Write) -> None:
    settings = load_settings(write(VALID + "[guard]\ndeletes.rows = 7\n"))
    assert settings.guard.deletes.rows == 7


def test_environment_wins_over_the_file_key_by_key(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALWRITE__DATAVERSE__URL", "https://other.example")
    monkeypatch.setenv("DUALWRITE__GUARD__DELETES__ROWS", "3")
    settings = load_settings(write(VALID))
    assert settings.dataverse.url == "https://other.example"
    assert settings.dataverse.client_id == "app"
    assert settings.guard.deletes.rows == 3


def test_the_shipped_config_is_valid() -> None:
    settings = load_settings(shipped("config") / "connector.toml")
    assert settings.dataverse.client_secret == "file:var/sandbox/client_secret"
    assert settings.dataverse.ca == Path("var/sandbox/ca.pem")


def test_no_config_file_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_settings(None)
    assert caught.value.code == "config-missing"
    assert caught.value.subject.file == str(DEFAULT_PATH)
    assert "dualwrite init DIR" in caught.value.remedy


def test_broken_toml_names_the_line(write: Write) -> None:
    error = refusal(write('[commerce]\nkind = "ledger"\nurl = = 1\n'))
    assert (error.code, error.subject.line) == ("config-syntax", 3)


def test_toml_that_ends_too_early_names_the_last_line(write: Write) -> None:
    error = refusal(write('[commerce]\nkind = ["ledger"'))
    assert (error.code, error.subject.line) == ("config-syntax", 2)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "connector.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert refusal(file).code == "config-unreadable"


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "says"),
    [
        ('kind = "ledger"', 'kind = "ledgr"', "commerce.kind", 2, "'ledger'"),
        ('client_id = "app"', 'clientid = "app"', "dataverse.clientid", 8, "client_id"),
        ('client_id = "app"', "", "dataverse", 5, "client_id"),
        ("https://crm", "http://crm", "dataverse.url", 6, "https://"),
        ("sqlite:///var/ledger.db", "https://erp.example", "commerce.url", 3, "database"),
        ('kind = "ledger"', 'kind = "finops"', "commerce.url", 3, "https://"),
        ("sqlite:///var/ledger.db", "var/ledger.db", "commerce.url", 3, "no scheme"),
        ("[dataverse]", "[dataverse]\ntimeout = 0", "dataverse.timeout", 6, "greater than 0"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(
    write: Write, old: str, new: str, key: str, line: int, says: str
) -> None:
    assert old in VALID
    error = refusal(write(VALID.replace(old, new, 1)))
    assert error.code == "config-invalid"
    assert (error.subject.field, error.subject.line) == (key, line)
    assert says in error.message


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[gaurd]\n", "gaurd", "guard"),
        ("[guard]\ndeletes.row = 1\n", "guard.deletes.row", "rows"),
        ('[sides.north]\nkind = "ledger"\nulr = "sqlite:///n.db"\n', "sides.north.ulr", "url"),
    ],
)
def test_an_unknown_key_gets_the_nearest_known_one(
    write: Write, text: str, key: str, nearest: str
) -> None:
    said = str(refusal(write(VALID + text)))
    assert f"{key}: unknown key; did you mean {nearest}?" in said
    assert f"{key}: {key}" not in said


@pytest.mark.parametrize("name", ["commerce", "dataverse"])
def test_a_further_side_needs_a_name_of_its_own(write: Write, name: str) -> None:
    side = f'[sides.{name}]\nkind = "ledger"\nurl = "sqlite:///n.db"\n'
    error = refusal(write(VALID + side))
    assert error.code == "config-invalid"
    assert f"`{name}` is the name of a side already" in error.message


def test_all_mistakes_come_in_one_error(write: Write) -> None:
    text = VALID.replace('kind = "ledger"', 'kind = "x"').replace("https://crm", "http://crm")
    message = refusal(write(text)).message
    assert "commerce.kind" in message
    assert "connector.toml:6: dataverse.url" in message


def test_an_empty_file_misses_both_sides(write: Write) -> None:
    message = refusal(write("")).message
    assert "commerce: this section is required" in message
    assert "dataverse: this section is required" in message


def test_a_wrong_variable_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUALWRITE__DATAVERSE__TIMEOUT", "soon")
    error = refusal(write(VALID))
    assert error.subject.field == "dataverse.timeout"
    assert "DUALWRITE__DATAVERSE__TIMEOUT" in str(error)


def test_a_variable_for_no_section_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALWRITE__DATAVRSE__URL", "https://other.example")
    assert "did you mean dataverse?" in refusal(write(VALID)).message


def test_a_section_in_one_variable_must_be_json(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALWRITE__RETRY", "often")
    error = refusal(write(VALID))
    assert error.subject.field == "retry"
    assert "DUALWRITE__RETRY" in str(error)


class TestSecrets:
    def test_a_literal_secret_is_refused_and_not_repeated(self, write: Write) -> None:
        error = refusal(write(VALID.replace("env:CRM_SECRET", LITERAL)))
        assert (error.subject.field, error.subject.line) == ("dataverse.client_secret", 9)
        assert "env:NAME or file:PATH" in error.message
        assert LITERAL not in repr(error.as_dict())

    def test_a_literal_secret_in_the_environment_is_refused_too(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DUALWRITE__DATAVERSE__CLIENT_SECRET", LITERAL)
        assert LITERAL not in repr(refusal(write(VALID)).as_dict())

    def test_a_password_in_a_url_is_refused_and_not_repeated(self, write: Write) -> None:
        text = f'{VALID}[store]\nurl = "postgresql+psycopg://app:{LITERAL}@db.example/state"\n'
        error = refusal(write(text))
        assert error.subject.field == "store.url"
        assert LITERAL not in repr(error.as_dict())

    def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CRM_SECRET", LITERAL)
        secret = read_secret("env:CRM_SECRET")
        assert secret.get_secret_value() == LITERAL
        assert LITERAL not in f"{secret} {secret!r}"

    def test_from_a_file_without_its_line_end(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(f"{LITERAL}\n", encoding="utf-8")
        assert read_secret(f"file:{file}").get_secret_value() == LITERAL

    def test_missing_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CRM_SECRET", raising=False)
        with pytest.raises(ConfigError) as caught:
            read_secret("env:CRM_SECRET")
        assert caught.value.code == "secret-missing"
        assert "CRM_SECRET" in caught.value.remedy

    def test_missing_and_empty_file(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        with pytest.raises(ConfigError, match="No such file"):
            read_secret(f"file:{file}")
        file.write_text("\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="is empty"):
            read_secret(f"file:{file}")

    def test_the_sandbox_secret_names_the_sandbox_as_remedy(self) -> None:
        with pytest.raises(ConfigError) as caught:
            read_secret("file:nowhere/sandbox/client_secret")
        assert "dualwrite sandbox" in caught.value.remedy


def test_the_schema_describes_keys_and_refuses_unknown_ones() -> None:
    schema = schema_of(Settings)
    assert schema["additionalProperties"] is False
    timeout = schema["$defs"]["DataverseSettings"]["properties"]["timeout"]
    assert "Seconds" in timeout["description"]


# ---------------------------------------------------------------------------- application users

SECOND = """
[[dataverse.users]]
client_id = "second"
client_secret = "env:SECOND"
"""
THIRD = """
[[dataverse.users]]
client_id = "third"
auth = "certificate"
authority = "https://login.example/other"
certificate = "file:third.pem"
"""


def test_further_users_take_from_the_first_what_they_leave_out(write: Write) -> None:
    users = load_settings(write(VALID + SECOND + THIRD)).dataverse.all_users()
    assert [(user.client_id, user.auth, user.authority) for user in users] == [
        ("app", "client-secret", "https://login.example/tenant"),
        ("second", "client-secret", "https://login.example/tenant"),
        ("third", "certificate", "https://login.example/other"),
    ]
    assert [user.client_secret for user in users] == ["env:CRM_SECRET", "env:SECOND", None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SECOND.replace("client_secret", "certificate"), "users[0] also needs client_secret"),
        (SECOND + SECOND, "a client_id of its own"),
        (SECOND.replace("[[", "[").replace("]]", "]"), "write [[dataverse.users]]"),
        (SECOND.replace("second", "app"), "a client_id of its own"),
        (SECOND.replace("env:SECOND", LITERAL), "a secret is never written here"),
        (SECOND + 'colour = "red"', "unknown key"),
    ],
)
def test_a_user_that_cannot_sign_in_is_refused(write: Write, text: str, says: str) -> None:
    error = refusal(write(VALID + text))
    assert error.code == "config-invalid"
    assert says in error.message
    assert LITERAL not in str(error)


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ('auth = "certificate"', "certificate"),
        ('auth = "basic"', "'client-secret', 'certificate' or 'managed-identity'"),
    ],
)
def test_each_way_to_sign_in_needs_its_own(write: Write, auth: str, missing: str) -> None:
    error = refusal(write(VALID.replace("[dataverse]", f"[dataverse]\n{auth}")))
    assert missing in error.message


def test_a_managed_identity_needs_nothing_else(write: Write) -> None:
    text = VALID.partition("authority")[0] + 'auth = "managed-identity"\n'
    (user,) = load_settings(write(text)).dataverse.all_users()
    assert (user.auth, user.client_id, user.authority) == ("managed-identity", None, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('listen = "8444"', "write HOST:PORT"),
        ('listen = "127.0.0.1:99999"', "write HOST:PORT"),
        ('webhook_key = "plain"', "name where it stands"),
        ("poll_min = 20", "poll_min must not be greater"),
    ],
)
def test_a_live_mode_that_cannot_be_meant_is_refused(write: Write, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(VALID + f"[serve]\n{text}\n"))
    assert says in str(caught.value)


def test_an_address_may_be_of_ipv6(write: Write) -> None:
    settings = load_settings(write(VALID + '[serve]\nlisten = "[::1]:8444"\n'))
    assert settings.serve.address == ("::1", 8444)
