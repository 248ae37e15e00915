"""What may be set from outside, and what is said of it when it cannot be used."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from datetime import timedelta
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bots.settings import ALL_WORKSPACES, VARIABLES, Fault, Need, Settings, SettingsInvalid, load

EXAMPLE = Path(__file__).parents[2] / ".env.example"
CANARY = "canary-5309"
NOTHING: frozenset[Need] = frozenset()
KEY = {"MICROVISUALIZER_API_KEY": "mv-key"}
DISCORD = {"DISCORD_TOKEN": "a.discord.token"}
OLD, NEW = "b2xk" * 10 + "b2w=", "_-3d" * 10 + "A_8="
SOCKET = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


def settings(environ: Mapping[str, str], needs: frozenset[Need] = NOTHING) -> Settings:
    return load(environ, None, needs=needs)


def faults(environ: Mapping[str, str], needs: frozenset[Need] = NOTHING) -> tuple[Fault, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        settings(environ, needs)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)
    return caught.value.faults


def faulty(environ: Mapping[str, str], needs: frozenset[Need] = NOTHING) -> list[str]:
    return [fault.variable for fault in faults(environ, needs)]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_a_database_on_a_server_is_taken_and_its_password_is_not_shown(scheme: str) -> None:
    url = f"{scheme}://me:{CANARY}@db.example:6432/threadline?sslmode=require"
    found = settings({"THREADLINE_DATABASE_URL": url})
    assert found.database_url == url
    assert CANARY not in repr(found)


def test_another_kind_of_database_is_not_taken_for_a_file() -> None:
    (fault,) = faults({"THREADLINE_DATABASE_URL": f"mysql://me:{CANARY}@db.example/threadline"})
    assert str(fault) == (
        "THREADLINE_DATABASE_URL names neither an SQLite file nor a PostgreSQL database."
        " Use sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    )


def test_nothing_set_gives_the_defaults() -> None:
    found = settings({})
    assert found.chat.key is None
    assert found.slack is None
    assert found.discord is None
    assert found.database_url == "sqlite:///threadline.db"
    assert found.default_project is None
    assert (found.http.host, found.http.port) == ("127.0.0.1", 8080)
    assert found.history_characters == 60_000
    assert found.deadline == timedelta(minutes=30)
    assert found.concurrency == 8
    assert found.admins == frozenset()
    assert found.retention is None
    assert found.secret_keys == ()
    assert found.trusted == frozenset()


def test_everything_can_be_set() -> None:
    found = settings(
        {
            "MICROVISUALIZER_API_URL": "http://127.0.0.1:8000/v1",
            "MICROVISUALIZER_API_KEY": " mv-key\n",
            "THREADLINE_DATABASE_URL": "sqlite:////var/lib/threadline/queue.db",
            "THREADLINE_DEFAULT_PROJECT": "shop-backend",
            "THREADLINE_HTTP_HOST": "::1",
            "THREADLINE_HTTP_PORT": "0",
            "THREADLINE_HISTORY_CHARACTERS": "1000",
            "THREADLINE_DEADLINE_MINUTES": "1440",
            "THREADLINE_CONCURRENCY": "1000",
            "THREADLINE_ADMINS": "U1, U2 U3,,",
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_SIGNING_SECRET": "8f742231b10e",
            "SLACK_API_URL": "http://localhost:9000/api",
            "DISCORD_TOKEN": "a.discord.token",
            "DISCORD_API_URL": "http://localhost:9001/api/v10/",
            "DISCORD_GATEWAY_URL": "ws://127.0.0.1:9001/gateway/",
            "DISCORD_MESSAGE_CONTENT": "on",
        },
        frozenset(Need),
    )
    assert found.chat.key is not None
    assert found.chat.url == "http://127.0.0.1:8000/v1"
    assert found.chat.key.get_secret_value() == "mv-key"
    assert found.database_url == "sqlite:////var/lib/threadline/queue.db"
    assert found.default_project == "shop-backend"
    assert (found.http.host, found.http.port) == ("::1", 0)
    assert (found.history_characters, found.concurrency) == (1000, 1000)
    assert found.deadline == timedelta(days=1)
    assert found.admins == {"U1", "U2", "U3"}
    assert found.slack is not None
    assert found.slack.app_token is not None
    assert found.slack.signing_secret is not None
    assert found.slack.signing_secret.get_secret_value() == "8f742231b10e"
    assert found.slack.api_url == "http://localhost:9000/api/"
    assert found.discord is not None
    assert found.discord.token.get_secret_value() == "a.discord.token"
    assert found.discord.api_url == "http://localhost:9001/api/v10"
    assert found.discord.gateway_url == "ws://127.0.0.1:9001/gateway/"
    assert found.discord.message_content
    assert found.discord.proxy is None


def test_discord_s_token_alone_gives_discord_s_own_addresses_and_no_privilege() -> None:
    found = settings(DISCORD, frozenset({Need.PLATFORM})).discord
    assert found is not None
    assert (found.api_url, found.gateway_url) == ("https://discord.com/api/v10", None)
    assert not found.message_content
    assert settings({"DISCORD_MESSAGE_CONTENT": "on"}).discord is None  # valid, and nobody's


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *((yes, True) for yes in ("on", "true", "Yes", "1", "ON")),
        *((no, False) for no in ("off", "False", "no", "0")),
    ],
)
def test_a_flag_is_on_or_off(text: str, meaning: bool) -> None:
    found = settings(DISCORD | {"DISCORD_MESSAGE_CONTENT": text}).discord
    assert found is not None
    assert found.message_content is meaning


def test_settings_are_frozen_and_show_no_secret() -> None:
    found = settings(KEY | SOCKET | DISCORD)
    secrets = (*KEY.values(), *SOCKET.values(), *DISCORD.values())
    assert not any(secret in repr(found) for secret in secrets)
    with pytest.raises(FrozenInstanceError):
        found.concurrency = 9  # type: ignore[misc]  # that it cannot be is the point


def test_the_environment_goes_before_the_file_and_empty_is_not_set(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "\ufeff# ours\nexport THREADLINE_CONCURRENCY=2\nTHREADLINE_HTTP_PORT=1\nTHREADLINE_ADMINS\n"
        "THREADLINE_HISTORY_CHARACTERS=\nMICROVISUALIZER_API_KEY='a${HOME}b' # taken as it stands\n"
    )
    environ = {"THREADLINE_HTTP_PORT": "2", "THREADLINE_CONCURRENCY": " ", "THREADLINE_UNHEARD_OF": ""}
    found = load(environ, file, needs=frozenset({Need.CHAT}))
    assert (found.http.port, found.concurrency, found.history_characters) == (2, 2, 60_000)
    assert found.chat.key is not None
    assert found.chat.key.get_secret_value() == "a${HOME}b"


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    assert load({}, tmp_path / "none", needs=NOTHING) == settings({})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"THREADLINE_CONCURRENCY=3\n\nMICROVISUALIZER_API_KEY='canary-5309\n", "cannot be read at line 3"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_an_unreadable_file_is_a_fault(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(SettingsInvalid) as caught:
        load({}, file, needs=NOTHING)
    assert [(fault.variable, fault.problem) for fault in caught.value.faults] == [(str(file), problem)]
    assert CANARY not in str(caught.value)


def test_a_folder_in_the_file_s_place_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load({}, tmp_path, needs=NOTHING)


def test_all_faults_are_told_at_once_one_a_line() -> None:
    found = faults(
        {
            "SLACK_APP_TOKEN": f"xoxb-{CANARY}",
            "THREADLINE_HTTP_PORT": "99999",
            "THREADLINE_CONCURENCY": "77",
            "MICROVISUALIZER_API_KEY": f"{CANARY} with spaces",
        },
        frozenset(Need),
    )
    assert [fault.variable for fault in found] == [
        "THREADLINE_CONCURENCY",
        "MICROVISUALIZER_API_KEY",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "THREADLINE_HTTP_PORT",
    ]
    assert str(SettingsInvalid(found)).splitlines() == [
        "The settings cannot be used:",
        "  - THREADLINE_CONCURENCY is not a setting."
        " Did you mean THREADLINE_CONCURRENCY? Otherwise remove it.",
        "  - MICROVISUALIZER_API_KEY is not an API key. Copy it again: printable ASCII, no spaces.",
        "  - SLACK_APP_TOKEN is not an app-level token (xapp-…). Copy it again: printable ASCII, no spaces.",
        "  - SLACK_BOT_TOKEN is not set, though SLACK_APP_TOKEN is. Set it to the bot's xoxb- token; "
        "for many workspaces set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET.",
        "  - THREADLINE_HTTP_PORT is out of range or not a whole number. Use a number from 0 to 65535.",
    ]


@pytest.mark.parametrize("source", ["environment", "file"])
def test_a_misspelt_name_is_told_with_the_nearest_known_one(source: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("threadline_http_prt=canary-5309\n" if source == "file" else "")
    environ = {"threadline_http_prt": CANARY} if source == "environment" else {}
    with pytest.raises(SettingsInvalid) as caught:
        load(environ, file, needs=NOTHING)
    assert [fault.variable for fault in caught.value.faults] == ["threadline_http_prt"]
    assert "Did you mean THREADLINE_HTTP_PORT?" in str(caught.value)
    assert CANARY not in str(caught.value)


BAD = {
    "MICROVISUALIZER_API_URL": [
        "http://api.example.com",
        "ftp://127.0.0.1/x",
        "https://",
        f"https://me:{CANARY}@api.example.com",
        f"https://api.example.com/?key={CANARY}",
        "https://api.example.com/#x",
        "https://a b.example.com",
        "https://[::1",
        "https://host:99999",
        "https://ho\x00st",
        "example.com",
    ],
    "SLACK_API_URL": ["http://slack.com/api/"],
    "DISCORD_TOKEN": [f"Bot {CANARY}", "schlüssel"],
    "DISCORD_API_URL": ["http://discord.com/api/v10", f"https://me:{CANARY}@discord.com"],
    "DISCORD_GATEWAY_URL": [
        "ws://gateway.discord.gg",
        "ws://10.0.0.1",
        "https://gateway.discord.gg",
        "http://127.0.0.1:9001",
        f"wss://me:{CANARY}@gateway.discord.gg",
        f"wss://gateway.discord.gg/?v={CANARY}",
        "wss://",
        "gateway.discord.gg",
    ],
    "DISCORD_MESSAGE_CONTENT": ["maybe", "2", "oui", "on off", "enabled"],
    "MICROVISUALIZER_API_KEY": ["two words", "schlüssel", "a\x07b"],
    "THREADLINE_DATABASE_URL": [
        f"postgresql://me:{CANARY}@db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///some/folder/",
        "sqlite:///x.db?mode=ro",
    ],
    "THREADLINE_DEFAULT_PROJECT": ["Shop Backend", "../etc/passwd"],
    "THREADLINE_HTTP_HOST": ["http://localhost", "two hosts"],
    "THREADLINE_HTTP_PORT": ["-1", "65536", "https", "8_0", "٨٠"],
    "THREADLINE_HISTORY_CHARACTERS": ["999", "1e5", "9" * 5000],
    "THREADLINE_DEADLINE_MINUTES": ["0", "1441", "-30"],
    "THREADLINE_CONCURRENCY": ["0", "1001"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_what_is_there_must_be_valid_even_if_it_is_not_needed(name: str, value: str) -> None:
    (fault,) = faults({name: value})
    assert fault.variable == name
    assert fault.remedy.endswith((".", "!"))


@pytest.mark.parametrize("address", ["ws://[::1]:8000", "ws://localhost/", "wss://gateway.discord.gg/x"])
def test_a_gateway_is_wss_or_this_very_machine(address: str) -> None:
    found = settings(DISCORD | {"DISCORD_GATEWAY_URL": address}).discord
    assert found is not None
    assert found.gateway_url == address


@pytest.mark.parametrize("address", ["http://[::1]:8000", "http://localhost", "https://api.example.com/base"])
def test_https_or_this_very_machine(address: str) -> None:
    found = settings(KEY | {"MICROVISUALIZER_API_URL": address})
    assert found.chat.key is not None
    assert found.chat.url == address


def test_a_command_that_needs_the_chat_cannot_do_without_a_key() -> None:
    assert faulty({}, frozenset({Need.CHAT})) == ["MICROVISUALIZER_API_KEY"]
    assert settings(KEY, frozenset({Need.CHAT})).slack is None


def test_a_command_that_needs_a_platform_is_told_of_both_and_content_with_either() -> None:
    (fault,) = faults(KEY, frozenset(Need))
    assert str(fault) == (
        "SLACK_BOT_TOKEN is not set, nor is DISCORD_TOKEN, so there is no platform to answer on."
        " For Discord: set DISCORD_TOKEN. For Slack: set SLACK_BOT_TOKEN and one of:"
        " SLACK_APP_TOKEN (Socket Mode: no public address needed)"
        " or SLACK_SIGNING_SECRET (HTTP: Slack calls us)."
    )
    for either in (SOCKET, DISCORD, SOCKET | DISCORD):
        assert settings(either, frozenset({Need.PLATFORM})).chat.key is None


def test_half_of_slack_is_a_fault_though_discord_is_there() -> None:
    assert faulty(DISCORD | {"SLACK_APP_TOKEN": "xapp-1"}, frozenset({Need.PLATFORM})) == ["SLACK_BOT_TOKEN"]


def test_a_bad_discord_token_is_one_fault() -> None:
    assert faulty({"DISCORD_TOKEN": f"Bot {CANARY}"}, frozenset({Need.PLATFORM})) == ["DISCORD_TOKEN"]


def test_a_bot_token_alone_is_told_the_two_ways() -> None:
    assert settings({"SLACK_BOT_TOKEN": "xoxb-1"}).slack is not None  # enough for what only calls Slack
    (fault,) = faults({"SLACK_BOT_TOKEN": "xoxb-1"}, frozenset({Need.PLATFORM}))
    assert fault.variable == "SLACK_BOT_TOKEN"
    assert fault.remedy.startswith("Set one of: SLACK_APP_TOKEN")
    assert "SLACK_APP_TOKEN" in fault.remedy
    assert "SLACK_SIGNING_SECRET" in fault.remedy


@pytest.mark.parametrize(
    ("name", "value"), [("SLACK_APP_TOKEN", "xapp-1"), ("SLACK_SIGNING_SECRET", "8f742231b10e")]
)
def test_the_other_secrets_are_nothing_without_a_bot_token(name: str, value: str) -> None:
    (fault,) = faults({name: value})
    assert fault.variable == "SLACK_BOT_TOKEN"
    assert name in fault.problem
    found = settings({"SLACK_BOT_TOKEN": "xoxb-1", name: value})
    assert found.slack is not None
    assert (found.slack.app_token is None) != (found.slack.signing_secret is None)


MANY = {
    "SLACK_CLIENT_ID": "2141029472.691202649728",
    "SLACK_CLIENT_SECRET": "e1b9e11dfcd1",
    "SLACK_SIGNING_SECRET": "8f742231b10e",
    "THREADLINE_PUBLIC_URL": "https://threadline.example.org",
    "THREADLINE_SECRET_KEY": NEW,
}


def test_an_app_for_many_workspaces_has_no_bot_token() -> None:
    found = settings(MANY, frozenset({Need.PLATFORM})).slack
    assert found is not None
    assert found.oauth is not None
    assert (found.bot_token, found.oauth.client_id) == (None, "2141029472.691202649728")
    assert found.oauth.client_secret.get_secret_value() == "e1b9e11dfcd1"
    assert found.oauth.public_url == "https://threadline.example.org"
    assert "e1b9e11dfcd1" not in repr(found)
    socket = settings(
        MANY | {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}, frozenset({Need.PLATFORM})
    )
    assert socket.slack is not None


def test_a_single_command_needs_no_address_to_know_an_app_for_many_workspaces() -> None:
    found = settings({name: value for name, value in MANY.items() if name != "THREADLINE_PUBLIC_URL"}).slack
    assert found is not None
    assert found.oauth is not None


@pytest.mark.parametrize("missing", [*MANY])
def test_each_thing_that_an_app_for_many_workspaces_needs_is_told_if_it_is_missing(missing: str) -> None:
    (fault,) = faults(MANY | {missing: ""}, frozenset({Need.PLATFORM}))
    named = {"SLACK_SIGNING_SECRET": "SLACK_CLIENT_ID"}.get(missing, missing)
    assert fault.variable == named
    assert missing in str(fault)


def test_one_workspace_s_app_and_one_for_many_are_told_at_once_that_they_exclude_each_other() -> None:
    both = SOCKET | {"SLACK_CLIENT_SECRET": CANARY}
    assert faulty(both, frozenset({Need.PLATFORM})) == [
        "SLACK_CLIENT_ID",
        "SLACK_BOT_TOKEN",
        "THREADLINE_SECRET_KEY",
        "THREADLINE_PUBLIC_URL",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_CLIENT_ID", CANARY),
        ("SLACK_CLIENT_SECRET", f"{CANARY} and more"),
        ("THREADLINE_PUBLIC_URL", f"http://{CANARY}.example.org"),
    ],
)
def test_what_cannot_be_an_app_s_is_one_fault(name: str, value: str) -> None:
    assert faulty(MANY | {name: value}, frozenset({Need.PLATFORM})) == [name]


def test_a_proxy_is_for_https_alone() -> None:
    proxied = KEY | SOCKET | DISCORD | {"HTTPS_PROXY": "http://proxy.example:3128"}
    there = settings(proxied)
    for far in (there.chat, there.slack, there.discord):
        assert far is not None
        assert far.proxy == "http://proxy.example:3128"
    addresses = ("MICROVISUALIZER_API_URL", "SLACK_API_URL", "DISCORD_API_URL")
    here = settings(proxied | dict.fromkeys(addresses, "http://127.0.0.1:8099"))
    for near in (here.chat, here.slack, here.discord):
        assert near is not None
        assert near.proxy is None


@pytest.mark.parametrize("wrong", ["foo", "ftp://proxy.example:21", "http://proxy.example", "http://[::1"])
def test_a_proxy_that_is_none_is_a_fault(wrong: str) -> None:
    assert faulty(KEY | SOCKET | {"HTTPS_PROXY": wrong})[0] == "HTTPS_PROXY"


def test_admins_are_user_ids() -> None:
    found = settings({"THREADLINE_ADMINS": "U0ANA, W0BEN 80351110224678912,1284567890123456789"}).admins
    assert found == {"U0ANA", "W0BEN", "80351110224678912", "1284567890123456789"}
    for wrong in ("@ana", "12345", "1" * 21, "<@80351110224678912>", "٨" * 18):
        assert faulty({"THREADLINE_ADMINS": wrong}) == ["THREADLINE_ADMINS"]


def test_workspaces_to_trust_are_listed_or_all_of_them() -> None:
    listed = "T0123ABC, E0GROUP1 123456789012345678\n@me"
    found = settings({"THREADLINE_TRUSTED_WORKSPACES": listed})
    assert found.trusted == {"T0123ABC", "E0GROUP1", "123456789012345678", "@me"}
    assert settings({"THREADLINE_TRUSTED_WORKSPACES": "*"}).trusted == {ALL_WORKSPACES}


@pytest.mark.parametrize("listed", [f"T1, {CANARY}", "C0CHANNEL", "123", "T0123ABC, *", "@everyone"])
def test_what_is_no_workspace_cannot_be_trusted(listed: str) -> None:
    assert faulty({"THREADLINE_TRUSTED_WORKSPACES": listed}) == ["THREADLINE_TRUSTED_WORKSPACES"]


def test_secret_keys_are_listed_newest_first() -> None:
    found = settings({"THREADLINE_SECRET_KEY": f"{NEW}, {OLD}"})
    assert [key.get_secret_value() for key in found.secret_keys] == [NEW, OLD]
    assert NEW not in repr(found)


@pytest.mark.parametrize(
    "wrong", [CANARY, f"{NEW},", f"{NEW} {OLD}", NEW[:-1], f"{NEW},{CANARY}", "!" + NEW[1:]]
)
def test_a_secret_key_that_is_none_is_a_fault(wrong: str) -> None:
    (fault,) = faults({"THREADLINE_SECRET_KEY": wrong})
    assert fault.variable == "THREADLINE_SECRET_KEY"
    assert "threadline secret" in fault.remedy


def test_a_name_that_resembles_none_is_to_be_removed() -> None:
    (fault,) = faults(KEY | SOCKET | {"THREADLINE_" + "X" * 60: "1"})
    assert fault.remedy == "Remove it."


def test_a_bad_bot_token_is_one_fault() -> None:
    assert faulty(SOCKET | {"SLACK_BOT_TOKEN": f"xoxp-{CANARY}"}) == ["SLACK_BOT_TOKEN"]


def test_the_example_names_every_variable_with_its_default_and_no_secret() -> None:
    example = dotenv_values(EXAMPLE)
    assert sorted(example) == sorted(VARIABLES)
    assert {name for name, value in example.items() if not value} == {
        "MICROVISUALIZER_API_KEY",
        "THREADLINE_DEFAULT_PROJECT",
        "THREADLINE_ADMINS",
        "THREADLINE_PUBLIC_URL",
        "THREADLINE_SECRET_KEY",
        "THREADLINE_TRUSTED_WORKSPACES",
        "SLACK_CLIENT_ID",
        "SLACK_CLIENT_SECRET",
        "THREADLINE_DISCORD_SHARDS",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "DISCORD_TOKEN",
        "DISCORD_GATEWAY_URL",
        "HTTPS_PROXY",
    }
    secrets = KEY | SOCKET | DISCORD
    assert load(secrets, EXAMPLE, needs=frozenset(Need)) == settings(secrets)


def test_in_the_example_a_comment_comes_before_every_group() -> None:
    paragraphs = EXAMPLE.read_text().split("\n\n")
    assert all(paragraph.startswith("#") for paragraph in paragraphs)
