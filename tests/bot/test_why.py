"""Which answer /why is about, where Telegram's own way of replying stands in between."""

from datetime import UTC, datetime
from typing import Any

from telegram import Chat, ExternalReplyInfo, ForumTopicCreated, Message, MessageOriginHiddenUser

from bot.handlers.why import part_meant

TODAY = datetime(2026, 1, 1, tzinfo=UTC)


def message(**more: Any) -> Message:
    return Message(5, TODAY, Chat(-100, "supergroup"), text="/why", **more)


def test_in_a_topic_the_notice_that_opened_it_is_not_what_is_replied_to() -> None:
    notice = Message(1, TODAY, Chat(-100, "supergroup"), forum_topic_created=ForumTopicCreated("Jazz", 0))
    assert part_meant(message(reply_to_message=notice)) is None


def test_a_reply_to_a_message_of_another_chat_is_about_none_of_the_answers_here() -> None:
    elsewhere = ExternalReplyInfo(MessageOriginHiddenUser(TODAY, "Somebody"))
    assert part_meant(message(external_reply=elsewhere)) == ""
