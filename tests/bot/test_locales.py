"""The interface's texts: complete in every language, and compiled as they are written."""

import io
import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from telegram import BotCommand

from bot.handlers.commands import menu
from bot.locales import DOMAIN, FOLDER, LANGUAGES, Locales


def source(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language)


def used_texts() -> set[str]:
    """Every text that the code asks a catalogue for."""
    keywords = {"_": None, "translate": None, "_translate": None}
    found: Iterator[tuple[object, ...]] = extract_from_dir(FOLDER.parent, keywords=keywords)
    return {str(message) for _file, _line, message, *_rest in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_code_is_in_the_catalogue_and_nothing_else(language: str) -> None:
    assert {message.id for message in source(language) if message.id} == used_texts()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_the_same_placeholders_and_commands(language: str) -> None:
    pattern = re.compile(r"\{\w+\}|(?<!\w)/[a-z]+")
    for message in source(language):
        if message.id:
            assert message.string
            assert not message.fuzzy
            assert sorted(pattern.findall(str(message.string))) == sorted(pattern.findall(str(message.id)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, source(language))
    expected = {message.id: message.string for message in read_mo(io.BytesIO(compiled.getvalue())) if message.id}
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        assert {message.id: message.string for message in read_mo(file) if message.id} == expected


def test_english_is_the_source_itself() -> None:
    assert all(message.string == message.id for message in source("en") if message.id)


@pytest.mark.parametrize(
    ("code", "greeting"),
    [("ru", "Поздороваться"), ("ru-RU", "Поздороваться"), ("de", "Say hello"), (None, "Say hello")],
)
def test_the_language_code_chooses_the_catalogue_and_english_is_the_fallback(code: str | None, greeting: str) -> None:
    assert Locales().speak(code)("Say hello") == greeting


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_menu_keeps_telegrams_limits(language: str) -> None:
    for command in menu(Locales().speak(language)):
        assert re.fullmatch(r"[a-z0-9_]{1,32}", command.command)
        assert BotCommand.MIN_DESCRIPTION <= len(command.description) <= BotCommand.MAX_DESCRIPTION
