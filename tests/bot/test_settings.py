"""Settings: where they come from, and the one line that a mistake gets."""

import re
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.telegram_bot_token is None
    assert settings.persona == "lisa"
    assert settings.context_messages == 6
    assert settings.sampling() == {}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PERSONA=bart\nENGINE=transformers\n")
    monkeypatch.setenv("PERSONA", "maggie")
    settings = load_settings()
    assert (settings.persona, settings.engine) == ("maggie", "transformers")


def test_an_empty_value_is_the_same_as_none() -> None:
    Path(".env").write_text("TELEGRAM_BOT_TOKEN=\nTEMPERATURE=\nADMIN_IDS=\n")
    assert load_settings() == Settings()


def test_admin_ids_are_numbers_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_IDS", "12, 34,")
    assert load_settings().admin_ids == {12, 34}


def test_only_the_sampling_settings_that_are_set_replace_the_personas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERATURE", "0")
    monkeypatch.setenv("MAX_NEW_TOKENS", "20")
    assert load_settings().sampling() == {"temperature": 0.0, "max_new_tokens": 20}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("TELEGRAM_BOT_TOKEN", "hello", "BotFather"),
        ("ADMIN_IDS", "12,@lisa", "numeric"),
        ("CONTEXT_MESSAGES", "many", "integer"),
        ("CONTEXT_MESSAGES", "-1", "greater"),
        ("MAX_CONCURRENT_REPLIES", "0", "greater"),
        ("TOP_P", "1.5", "less"),
        ("LOG_LEVEL", "LOUD", "DEBUG"),
        ("OFFLINE_PORT", "70000", "less"),
        ("TELEGRAM_BASE_URL", "localhost:8081", "match"),
        ("SHUTDOWN_GRACE", "soon", "number"),
        ("RETENTION_DAYS", "-1", "greater"),
        ("ADMIN_IDS", "-100", "not a person"),
        ("ALLOWED_USER_IDS", "12 34", "numeric"),
        ("ALLOWED_USER_IDS", "9" * 17, "numeric"),
        ("ALLOWED_CHAT_IDS", "-100,١٢", "numeric"),
        ("ALLOWED_CHAT_IDS", "12", "not a group"),
        ("USER_MESSAGES_PER_MINUTE", "-1", "greater"),
        ("GROUP_MESSAGES_PER_DAY", "few", "integer"),
        ("PROXY_URL", "127.0.0.1:3128", "SCHEME"),
        ("PROXY_URL", "ftp://127.0.0.1:3128", "SCHEME"),
        ("PROXY_URL", "socks5://127.0.0.1:port", "SCHEME"),
        ("PROXY_URL", "http://:3128", "SCHEME"),
        ("WEBHOOK_URL", "bot.example.org", "match"),
        ("WEBHOOK_URL", "http://bot.example.org/", "https"),
        ("WEBHOOK_SECRET", "too-short", "16 to 256"),
        ("WEBHOOK_SECRET", "sixteen letters!", "16 to 256"),
        ("WEBHOOK_PORT", "-1", "greater"),
        ("LOG_FORMAT", "xml", "json"),
        ("PERSONAS", "lisa, Bart Simpson", "commas"),
        ("PERSONAS_IN_MEMORY", "0", "greater"),
    ],
)
def test_a_wrong_value_gets_one_line_that_names_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, words: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(SettingsError, match=f"^{key}: .*{words}") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_URL", "https://bot.example.org/")
    with pytest.raises(SettingsError, match=r"^WEBHOOK_SECRET: WEBHOOK_URL needs it"):
        load_settings()
    monkeypatch.setenv("WEBHOOK_SECRET", "sixteen_letters-")
    assert load_settings().webhook_listen == "127.0.0.1"


def test_a_bot_api_server_of_ones_own_may_call_a_plain_http_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_URL", "http://127.0.0.1:8443/")
    monkeypatch.setenv("WEBHOOK_SECRET", "sixteen_letters-")
    monkeypatch.setenv("TELEGRAM_BASE_URL", "http://127.0.0.1:8081")
    assert load_settings().webhook_url == "http://127.0.0.1:8443/"


def test_the_lists_of_guests_are_ids_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_USER_IDS", "12, 34,")
    monkeypatch.setenv("ALLOWED_CHAT_IDS", "-1001234567890,")
    settings = load_settings()
    assert settings.allowed_user_ids == {12, 34}
    assert settings.allowed_chat_ids == {-1001234567890}


def test_the_personas_on_offer_are_names_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAS", "lisa, bart,")
    assert load_settings().personas == {"lisa", "bart"}


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_is_named_by_its_address_and_is_a_secret_with_its_password(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    url = f"{scheme}://ned:HIDD%40EN@127.0.0.1:3128"
    monkeypatch.setenv("PROXY_URL", url)
    settings = load_settings()
    assert settings.proxy_url is not None
    assert settings.proxy_url.get_secret_value() == url
    assert "HIDD" not in repr(settings)
    assert settings.secrets() == [url, "HIDD%40EN", "HIDD@EN"]


def test_a_wrong_proxy_or_secret_is_not_repeated_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in (("PROXY_URL", "gopher://ned:HIDDEN@127.0.0.1"), ("WEBHOOK_SECRET", "HIDDEN")):
        monkeypatch.setenv(key, value)
        with pytest.raises(SettingsError, match=f"^{key}: ") as caught:
            load_settings()
        assert "HIDDEN" not in str(caught.value)
        monkeypatch.delenv(key)


@pytest.mark.parametrize("token", ["1:abc\n", " 1:abc", "\t1:abc \r\n"])
def test_white_space_around_a_token_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", token)
    found = load_settings().telegram_bot_token
    assert found is not None
    assert found.get_secret_value() == "1:abc"


@pytest.mark.parametrize("token", ["1:abc\ndef", "1:a bc", "1:abc\n2:def", " "])
def test_white_space_within_a_token_is_refused(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", token)
    with pytest.raises(SettingsError, match=r"^TELEGRAM_BOT_TOKEN: this is not a token"):
        load_settings()


def test_a_wrong_token_is_not_repeated_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456/SECRET")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "SECRET" not in str(caught.value)


def test_a_misspelt_key_in_the_file_is_named_with_the_right_one() -> None:
    Path(".env").write_text("TELEGRAM_TOKEN=1:abc\n")
    with pytest.raises(SettingsError, match=r"TELEGRAM_TOKEN in \.env is not a setting; did you mean TELEGRAM_BOT_TOK"):
        load_settings()


def test_a_file_that_is_not_text_is_named() -> None:
    Path(".env").write_bytes(b"PERSONA=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        load_settings()


def test_secrets_are_masked_in_what_is_printed() -> None:
    settings = load_settings(telegram_bot_token="1:SECRET", database_url="postgresql+asyncpg://u:SECRET@h/d")
    assert "SECRET" not in repr(settings) + str(settings.model_dump())


def test_the_example_file_lists_every_key_once_each_under_a_comment() -> None:
    blocks = EXAMPLE.read_text(encoding="utf-8").strip().split("\n\n")
    keys = [key for block in blocks for key in re.findall(r"^([A-Z_]+)=", block, re.MULTILINE)]
    assert sorted(keys) == sorted(name.upper() for name in Settings.model_fields)
    assert all(block.startswith("# ") for block in blocks)


def test_the_example_file_as_it_stands_gives_the_defaults() -> None:
    Path(".env").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_settings() == Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
