"""Inline mode of the offline Telegram: typing, offers, and what is sent by choosing one."""

from typing import Any

import pytest

from tests.offline.caller import Caller, Json

ARTICLE = {"type": "article", "id": "1", "title": "An answer", "input_message_content": {"message_text": "<b>Hi</b>"}}


async def asked(caller: Caller, query: str = "Who?", user_id: int = 5) -> str:
    """Somebody types; the number of the query."""
    return str((await caller.people("POST", "inline", user_id=user_id, query=query))["inline_query_id"])


async def test_what_is_typed_reaches_the_bot_as_an_inline_query(caller: Caller) -> None:
    number = await asked(caller, "Who are you?")
    (update,) = await caller.result("getUpdates")
    query = update["inline_query"]
    assert (query["id"], query["query"], query["offset"], query["from"]["id"]) == (number, "Who are you?", "", 5)


async def test_an_offer_is_seen_by_whoever_asked_and_sent_by_choosing_it(caller: Caller) -> None:
    number = await asked(caller)
    content = {"message_text": "<b>Hi</b>", "parse_mode": "HTML"}
    article = ARTICLE | {"input_message_content": content}
    assert await caller.result("answerInlineQuery", inline_query_id=number, results=[article], cache_time=0)
    answer = (await caller.people("GET", "inline", inline_query_id=number))["answer"]
    assert answer == {"results": [article], "button": None, "cache_time": 0, "is_personal": False}
    await caller.say("Hello", user_id=5, chat_id=-7)
    chosen = await caller.people("POST", "choose", inline_query_id=number, result_id="1", chat_id=-7)
    message = (await caller.result("getUpdates"))[-1]["message"]
    assert message["message_id"] == chosen["message_id"]
    assert (message["text"], message["from"]["id"], message["chat"]["id"]) == ("Hi", 5, -7)
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert message["via_bot"]["username"] == "understudy_bot"


async def test_without_an_offer_there_is_none_to_see_or_choose(caller: Caller) -> None:
    number = await asked(caller)
    assert await caller.people("GET", "inline", inline_query_id=number) == {"answer": None}
    refused = await caller.people("POST", "choose", inline_query_id=number, result_id="1", chat_id=5)
    assert "nothing of that number is offered" in refused["error"]
    assert "nobody has asked that" in (await caller.people("GET", "inline", inline_query_id="0"))["error"]


async def test_a_query_is_answered_once(caller: Caller) -> None:
    number = await asked(caller)
    await caller.result("answerInlineQuery", inline_query_id=number, results=[])
    for wrong in (number, "0"):
        assert "query is too old" in await caller.refusal("answerInlineQuery", inline_query_id=wrong, results=[])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"results": [ARTICLE | {"type": "photo"}]}, "articles only"),
        ({"results": ["article"]}, "articles only"),
        ({"results": [ARTICLE | {"id": ""}]}, "RESULT_ID_INVALID"),
        ({"results": [ARTICLE | {"id": "1" * 65}]}, "RESULT_ID_INVALID"),
        ({"results": [ARTICLE, ARTICLE]}, "RESULT_ID_DUPLICATE"),
        ({"results": [ARTICLE | {"title": " "}]}, "ARTICLE_TITLE_EMPTY"),
        ({"results": [ARTICLE | {"input_message_content": {}}]}, "no text to send"),
        ({"results": [ARTICLE | {"input_message_content": {"message_text": " "}}]}, "text is empty"),
        ({"results": [ARTICLE | {"input_message_content": {"message_text": "a" * 4097}}]}, "MESSAGE_TOO_LONG"),
        ({"results": [ARTICLE | {"id": str(number)} for number in range(51)]}, "RESULTS_TOO_MUCH"),
        ({"results": [], "button": {"text": " ", "start_parameter": "a"}}, "BUTTON_TEXT_EMPTY"),
        ({"results": [], "button": {"text": "Hi", "start_parameter": "a b"}}, "START_PARAM_INVALID"),
    ],
)
async def test_offers_that_telegram_refuses_are_refused(caller: Caller, arguments: Json, problem: str) -> None:
    number = await asked(caller)
    assert problem in await caller.refusal("answerInlineQuery", inline_query_id=number, **arguments)


async def test_a_bot_without_inline_mode_is_not_asked(caller: Caller) -> None:
    await caller.people("POST", "botfather", inline=False)
    assert (await caller.result("getMe"))["supports_inline_queries"] is False
    refused: dict[str, Any] = await caller.people("POST", "inline", user_id=5, query="Who?")
    assert "no inline mode" in refused["error"]
