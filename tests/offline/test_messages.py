"""What the bot may say and change, and how Telegram refuses the rest."""

from typing import Any

import pytest

from tests.offline.caller import Caller

BUTTONS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}


@pytest.fixture
async def chat(caller: Caller) -> Caller:
    """Somebody has written, so that the bot may answer in chat 1."""
    await caller.say("Hi")
    return caller


async def test_a_bot_cannot_write_first(caller: Caller) -> None:
    assert await caller.refusal("sendMessage", chat_id=1001, text="Hi") == "Bad Request: chat not found"
    assert await caller.refusal("sendMessage", chat_id=4711, text="Hi") == "Bad Request: chat not found"
    assert await caller.refusal("sendMessage", chat_id="@nobody", text="Hi") == "Bad Request: chat not found"
    assert await caller.refusal("sendMessage", text="Hi") == "Bad Request: chat_id is empty"
    await caller.say("Hello", user_id=1001)
    assert (await caller.result("sendMessage", chat_id=1001, text="Hi"))["text"] == "Hi"


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
async def test_an_empty_text_is_refused(chat: Caller, text: str) -> None:
    assert await chat.refusal("sendMessage", chat_id=1, text=text) == "Bad Request: message text is empty"


async def test_markup_without_text_is_empty_too(chat: Caller) -> None:
    refusal = await chat.refusal("sendMessage", chat_id=1, text="<b></b>", parse_mode="HTML")
    assert refusal == "Bad Request: message text is empty"


async def test_a_text_of_4096_units_is_the_longest(chat: Caller) -> None:
    assert len((await chat.result("sendMessage", chat_id=1, text="a" * 4096))["text"]) == 4096
    assert await chat.refusal("sendMessage", chat_id=1, text="a" * 4097) == "Bad Request: message is too long"
    assert await chat.refusal("sendMessage", chat_id=1, text="😀" * 2049) == "Bad Request: message is too long"


async def test_the_limit_counts_what_is_left_after_parsing(chat: Caller) -> None:
    marked = "<b>" + "a" * 4096 + "</b>"
    sent = await chat.result("sendMessage", chat_id=1, text=marked, parse_mode="HTML")
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]


async def test_a_reply_shows_what_it_answers(chat: Caller) -> None:
    original = (await chat.messages())[0]
    sent = await chat.result(
        "sendMessage", chat_id=1, text="Hi!", reply_parameters={"message_id": original["message_id"]}
    )
    assert sent["reply_to_message"]["text"] == "Hi"


async def test_a_reply_to_nothing_is_refused_unless_it_may_stand_alone(chat: Caller) -> None:
    nothing = {"message_id": 5}
    refusal = await chat.refusal("sendMessage", chat_id=1, text="Hi!", reply_parameters=nothing)
    assert refusal == "Bad Request: message to be replied not found"
    nothing |= {"allow_sending_without_reply": True}
    sent = await chat.result("sendMessage", chat_id=1, text="Hi!", reply_parameters=nothing)
    assert "reply_to_message" not in sent


async def test_an_edit_changes_text_and_says_when(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="Hi")
    edited = await chat.result("editMessageText", chat_id=1, message_id=sent["message_id"], text="Hello")
    assert (edited["text"], edited["message_id"]) == ("Hello", sent["message_id"])
    assert edited["edit_date"] >= sent["date"]
    assert (await chat.messages())[-1]["text"] == "Hello"


async def test_an_edit_to_the_same_is_refused(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="<b>Hi</b>", parse_mode="HTML", reply_markup=BUTTONS)
    same = {"chat_id": 1, "message_id": sent["message_id"], "text": "<b>Hi</b>", "parse_mode": "HTML"}
    assert await chat.refusal("editMessageText", **same, reply_markup=BUTTONS) == (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
        " as a current content and reply markup of the message"
    )
    without_buttons = await chat.result("editMessageText", **same)
    assert "reply_markup" not in without_buttons
    without_bold = await chat.result("editMessageText", **{**same, "text": "Hi"})
    assert "entities" not in without_bold


async def test_what_cannot_be_edited_is_refused(chat: Caller) -> None:
    theirs = (await chat.messages())[0]["message_id"]
    edit = {"chat_id": 1, "text": "Hello"}
    assert await chat.refusal("editMessageText", **edit, message_id=3) == "Bad Request: message to edit not found"
    assert await chat.refusal("editMessageText", **edit) == "Bad Request: message identifier is not specified"
    assert await chat.refusal("editMessageText", **edit, message_id=theirs) == "Bad Request: message can't be edited"
    too_long = {"chat_id": 1, "message_id": theirs, "text": "a" * 4097}
    assert await chat.refusal("editMessageText", **too_long) == "Bad Request: MESSAGE_TOO_LONG"


async def test_the_keyboard_alone_can_be_changed(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="Hi", reply_markup=BUTTONS)
    edited = await chat.result("editMessageReplyMarkup", chat_id=1, message_id=sent["message_id"])
    assert "reply_markup" not in edited
    assert edited["text"] == "Hi"


@pytest.mark.parametrize(
    ("button", "refusal"),
    [
        (
            {"text": "Hi"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "", "callback_data": "x"}, "inline keyboard button text is empty"),
        ({"text": "Hi", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "Hi", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
    ],
)
async def test_a_bad_button_is_refused(chat: Caller, button: dict[str, str], refusal: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    assert await chat.refusal("sendMessage", chat_id=1, text="Hi", reply_markup=markup) == f"Bad Request: {refusal}"


async def test_a_deleted_message_is_gone(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="Oops")
    assert await chat.result("deleteMessage", chat_id=1, message_id=sent["message_id"])
    assert [message["text"] for message in await chat.messages()] == ["Hi"]
    refusal = await chat.refusal("deleteMessage", chat_id=1, message_id=sent["message_id"])
    assert refusal == "Bad Request: message to delete not found"


async def test_many_messages_are_deleted_at_once_and_missing_ones_do_not_matter(chat: Caller) -> None:
    ids = [(await chat.result("sendMessage", chat_id=1, text=word))["message_id"] for word in ("a", "b")]
    assert await chat.result("deleteMessages", chat_id=1, message_ids=[*ids, 3])
    assert [message["text"] for message in await chat.messages()] == ["Hi"]


async def test_typing_is_shown_and_an_unknown_action_refused(chat: Caller) -> None:
    assert await chat.result("sendChatAction", chat_id=1, action="typing")
    shown = await chat.people("GET", "messages", chat_id=1)
    assert [action["action"] for action in shown["actions"]] == ["typing"]
    refusal = await chat.refusal("sendChatAction", chat_id=1, action="dancing")
    assert refusal == "Bad Request: wrong parameter action in request"


async def test_a_draft_streams_in_a_private_chat(chat: Caller) -> None:
    for text in ("The saxo", "The <b>saxophone</b>"):
        assert await chat.result("sendMessageDraft", chat_id=1, draft_id=9, text=text, parse_mode="HTML")
    drafts = (await chat.people("GET", "messages", chat_id=1))["drafts"]
    assert [draft["text"] for draft in drafts] == ["The saxo", "The saxophone"]
    assert drafts[1]["entities"] == [{"type": "bold", "offset": 4, "length": 9}]
    assert [message["text"] for message in await chat.messages()] == ["Hi"]


async def test_drafts_need_an_id_and_a_private_chat(chat: Caller) -> None:
    assert "non-zero" in await chat.refusal("sendMessageDraft", chat_id=1, draft_id=0, text="The")
    await chat.say("Hello all", chat_id=-5)
    refusal = await chat.refusal("sendMessageDraft", chat_id=-5, draft_id=9, text="The")
    assert refusal == "Bad Request: TEXTDRAFT_PEER_INVALID"


async def test_a_press_becomes_a_query_that_can_be_answered_once(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="Jazz?", reply_markup=BUTTONS)
    where = {"user_id": 1, "chat_id": 1, "message_id": sent["message_id"]}
    pressed = await chat.people("POST", "press", **where, data="yes")
    query = (await chat.result("getUpdates", offset=-1))[0]["callback_query"]
    assert (query["id"], query["data"], query["message"]["text"]) == (pressed["callback_query_id"], "yes", "Jazz?")
    assert query["chat_instance"]
    answer = {"callback_query_id": query["id"], "text": "So do I", "show_alert": True}
    assert await chat.result("answerCallbackQuery", **answer)
    shown = (await chat.people("GET", "messages", chat_id=1))["answers"]
    assert [(entry["text"], entry["show_alert"]) for entry in shown] == [("So do I", True)]
    assert await chat.refusal("answerCallbackQuery", **answer) == (
        "Bad Request: query is too old and response timeout expired or query ID is invalid"
    )


async def test_a_button_that_is_not_there_cannot_be_pressed(chat: Caller) -> None:
    sent = await chat.result("sendMessage", chat_id=1, text="Jazz?", reply_markup=BUTTONS)
    where = {"user_id": 1, "chat_id": 1, "message_id": sent["message_id"]}
    assert "no button" in (await chat.people("POST", "press", **where, data="no"))["error"]


async def test_a_reaction_needs_a_message(chat: Caller) -> None:
    theirs = (await chat.messages())[0]["message_id"]
    heart = [{"type": "emoji", "emoji": "❤"}]
    assert await chat.result("setMessageReaction", chat_id=1, message_id=theirs, reaction=heart)
    refusal = await chat.refusal("setMessageReaction", chat_id=1, message_id=3, reaction=heart)
    assert refusal == "Bad Request: message to react not found"


@pytest.mark.parametrize("as_form", [True, False])
async def test_arguments_come_as_json_or_as_a_form(chat: Caller, as_form: bool) -> None:
    address = f"{chat.server.base_url}1:offline/sendMessage"
    values = {"chat_id": "1", "text": "Hi", "reply_markup": '{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}'}
    body: dict[str, Any] = {"data": values} if as_form else {"params": values}
    async with chat.session.post(address, **body) as answer:
        sent = (await answer.json())["result"]
    assert sent["reply_markup"]["inline_keyboard"][0][0]["text"] == "A"


@pytest.mark.parametrize("body", ["{", "[]", '{"chat_id":1,"text":"x","reply_markup":"{"}'])
async def test_what_is_no_json_is_refused(chat: Caller, body: str) -> None:
    address = f"{chat.server.base_url}1:offline/sendMessage"
    async with chat.session.post(address, data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["description"].startswith("Bad Request: ")


async def test_a_thread_keeps_its_messages_marked(chat: Caller) -> None:
    await chat.say("In the topic", chat_id=-5, message_thread_id=3)
    heard = (await chat.result("getUpdates", offset=-1))[0]["message"]
    assert (heard["message_thread_id"], heard["is_topic_message"]) == (3, True)
    sent = await chat.result("sendMessage", chat_id=-5, text="Here too", message_thread_id=3)
    assert sent["message_thread_id"] == 3
