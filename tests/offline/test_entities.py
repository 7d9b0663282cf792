"""Entities: parsed from HTML by Telegram's rules, found in plain text, counted in UTF-16 units."""

import random
from typing import Any

import pytest

from bot.offline.entities import find_entities, stripped, utf16_length, utf16_slice, with_found
from bot.offline.errors import BadRequestError
from bot.offline.html_markup import HtmlParser
from tests.offline.caller import Caller


def entity(kind: str, offset: int, length: int, **more: str) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>a</b>c", "ac", [entity("bold", 0, 1)]),
        ("<strong>a</strong>", "a", [entity("bold", 0, 1)]),
        ("😀<i>é😀</i>", "😀é😀", [entity("italic", 2, 3)]),
        ("<b>x<i>y</i></b>", "xy", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("<u>a</u><s>b</s>", "ab", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [entity("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [entity("spoiler", 0, 1)]),
        ('<a href="http://a.org/?x=1&amp;y=2">z</a>', "z", [entity("text_link", 0, 1, url="http://a.org/?x=1&y=2")]),
        ("<a href='a.org'>z</a>", "z", [entity("text_link", 0, 1, url="http://a.org/")]),
        ("<a>nothing</a>", "nothing", []),
        ("😀 <a>a.org/😀</a>", "😀 a.org/😀", [entity("text_link", 3, 8, url="http://a.org/😀")]),
        ('<pre><code class="language-py">x</code></pre>', "x", [entity("pre", 0, 1, language="py")]),
        ("<blockquote expandable>x</blockquote>", "x", [entity("expandable_blockquote", 0, 1)]),
        ("&lt;b&gt; &amp; &quot; &#33; &copy;", '<b> & " ! &copy;', []),
        ("<b></b>x", "x", []),
        ("<I>a</i >", "a", [entity("italic", 0, 1)]),
        ("1 > 0", "1 > 0", []),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert HtmlParser(source).parse() == (text, entities)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("é<p>x</p>", 'Unsupported start tag "p" at byte offset 2'),
        ("I <3 you", 'Unsupported start tag "3" at byte offset 2'),
        ("a<b", "Unclosed start tag at byte offset 1"),
        ("a<b class", "Unclosed start tag at byte offset 1"),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<i  =x>a</i>", 'Empty attribute name in the tag "i" at byte offset 0'),
    ],
)
def test_bad_html_is_refused_in_telegrams_words(source: str, problem: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        HtmlParser(source).parse()
    assert refused.value.description == f"Bad Request: can't parse entities: {problem}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/start", ["/start"]),
        ("/ask@understudy_bot why?", ["/ask@understudy_bot"]),
        ("😀 /ask and /help", ["/ask", "/help"]),
        ("either/or", []),
        ("hi @lisa_s!", ["@lisa_s"]),
        ("write to lisa@example.org", ["lisa@example.org"]),
        ("#jazz and #1", ["#jazz"]),
        ("see https://example.org/a?b=c.", ["https://example.org/a?b=c"]),
        ("nothing here", []),
    ],
)
def test_telegram_finds_these_by_itself(text: str, found: list[str]) -> None:
    assert [utf16_slice(text, one["offset"], one["length"]) for one in find_entities(text)] == found


def test_nothing_is_found_inside_code() -> None:
    assert with_found("/ask", [entity("code", 0, 4)]) == [entity("code", 0, 4)]


def test_white_space_around_a_text_moves_its_entities() -> None:
    moved = stripped("\n 😀ab ", [entity("bold", 0, 4), entity("italic", 5, 2)])
    assert moved == ("😀ab", [entity("bold", 0, 2), entity("italic", 3, 1)])


def random_markup(chance: random.Random, depth: int = 0) -> tuple[str, str, list[tuple[str, str]]]:
    """HTML, its plain text, and (type, covered text) of every entity, outer ones first."""
    source, text, covered = "", "", []
    for _ in range(chance.randint(1, 3)):
        words = "".join(chance.choices("ab é😀日\n<&>", k=chance.randint(1, 5)))
        source += words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text += words
        if depth < 3 and chance.random() < 0.7:
            tag, kind = chance.choice([("b", "bold"), ("i", "italic"), ("u", "underline"), ("code", "code")])
            inner_source, inner_text, inner = random_markup(chance, depth + 1)
            source += f"<{tag}>{inner_source}</{tag}>"
            text += inner_text
            covered += [(kind, inner_text), *inner]
    return source, text, covered


@pytest.mark.parametrize("seed", range(60))
def test_entities_cover_what_was_marked(seed: int) -> None:
    source, text, covered = random_markup(random.Random(seed))
    parsed, entities = HtmlParser(source).parse()
    assert parsed == text
    found = [(one["type"], utf16_slice(parsed, one["offset"], one["length"])) for one in entities]
    assert sorted(found) == sorted(covered)


@pytest.mark.parametrize("seed", range(60))
def test_hostile_html_is_parsed_or_refused_but_never_breaks(seed: int) -> None:
    chance = random.Random(seed)
    pieces = ["<", ">", "</", "b", "i", "a href", "=", '"', "'", "&", "&#55296;", "&#x110000;", "😀", " ", "pre", "/"]
    for _ in range(50):
        source = "".join(chance.choices(pieces, k=chance.randint(1, 25)))
        try:
            text, entities = HtmlParser(source).parse()
        except BadRequestError:
            continue
        size = utf16_length(text)
        assert all(0 <= one["offset"] < one["offset"] + one["length"] <= size for one in entities)
        text.encode()


async def test_a_persons_command_carries_its_entity(caller: Caller) -> None:
    await caller.say("/ask Who is your brother?")
    heard = (await caller.result("getUpdates"))[0]["message"]
    assert heard["entities"] == [entity("bot_command", 0, 4)]


async def test_a_bad_text_is_refused_and_nothing_is_sent(caller: Caller) -> None:
    await caller.say("Hi")
    refusal = await caller.refusal("sendMessage", chat_id=1, text="<b>a", parse_mode="HTML")
    assert refusal == "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
    assert len(await caller.messages()) == 1


async def test_entities_can_be_given_and_are_checked(caller: Caller) -> None:
    await caller.say("Hi")
    sent = await caller.result("sendMessage", chat_id=1, text="😀 bold", entities=[entity("bold", 3, 4)])
    assert sent["entities"] == [entity("bold", 3, 4)]
    assert "ends outside" in await caller.refusal("sendMessage", chat_id=1, text="a", entities=[entity("bold", 0, 2)])
    assert "can't parse" in await caller.refusal("sendMessage", chat_id=1, text="a", entities=[{"type": "bold"}])
