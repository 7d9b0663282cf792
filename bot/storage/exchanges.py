"""The statements on what is said and answered. Each function is part of a transaction; see `bot.storage.worker`.

A statement is made once and given its values when it is executed: to put one together takes longer than to execute it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Insert, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.orm import aliased

from bot.chat_service import AlreadyAnsweredError, Conversation, Exchange, Line, Mode
from bot.feedback import Verdict
from bot.second_thoughts import Piece
from bot.storage.tables import Chat, InboxRow, Message, Opinion, State, now

HERE = and_(Chat.chat_id == bindparam("chat_id"), Chat.thread_id == bindparam("thread_id"))
# What the dialogue with a character consists of, newest first. Lines of nobody's are the default character's.
DIALOGUE = (
    select(Message)
    .join(Chat, Message.chat == Chat.id)
    .where(HERE, Message.mode == Mode.DIALOGUE, Message.id > Chat.reset_after, Message.is_shown)
    .where(func.coalesce(Message.persona, bindparam("default")) == bindparam("persona"))
    .order_by(Message.id.desc())
)
LINES = DIALOGUE.with_only_columns(Message.speaker, Message.text, Message.is_character, Message.user_id)
LAST_LINES = LINES.limit(bindparam("count"))

FIND_CHAT = select(Chat.id).where(HERE)
ADD_CHAT = insert(Chat)
RESET = update(Chat).where(Chat.id == bindparam("here")).values(reset_after=bindparam("last"))
LAST_MESSAGE = select(func.max(Message.id)).where(Message.chat == bindparam("here"))
CHAT_OF = select(Message.chat).where(Message.id == bindparam("question"))
ADD_MESSAGE = insert(Message)
ANSWERED = (
    update(InboxRow)
    .where(InboxRow.update_id == bindparam("receipt"), InboxRow.state == State.RECEIVED)
    .values(state=State.ANSWERED, reply=bindparam("answer"), question=bindparam("asked"), newest=bindparam("newest"))
    .returning(InboxRow.received_at)
)

ANSWER = aliased(Message)
IS_DISLIKED = exists().where(Opinion.message == ANSWER.id, Opinion.verdict == Verdict.DISLIKED)
# A question, once for each of its answers, in the order in which these were made.
PIECES = (
    select(Message.id, Message.speaker, Message.text, Message.user_id, Message.message, Message.answered_in)
    .add_columns(Message.mode, ANSWER.text.label("answer"), ANSWER.is_shown, IS_DISLIKED.label("is_disliked"))
    .outerjoin(ANSWER, ANSWER.question == Message.id)
    .order_by(ANSWER.id)
)
PIECE = PIECES.where(Message.id == bindparam("question"))
PIECE_ANSWERED_BY = PIECES.join(InboxRow, InboxRow.question == Message.id).where(
    InboxRow.update_id == bindparam("receipt")
)


@dataclass(frozen=True, slots=True)
class Said:
    """An exchange to be stored: in a conversation, or as another answer to a `question` that is there.

    `answered_in` are the numbers of the messages that hold the answer already.
    """

    exchange: Exchange
    conversation: Conversation | None = None
    question: int | None = None
    answered_in: Sequence[int] = ()


def last_lines(connection: Connection, dialogue: Mapping[str, Any], count: int) -> list[Line]:
    """The end of a dialogue, oldest first."""
    return lines(connection.execute(LAST_LINES, {**dialogue, "count": count}).all())


def lines(rows: Sequence[Any]) -> list[Line]:
    """What `LINES` has given, oldest first."""
    return [
        Line(row.speaker, row.text, row.is_character, None if row.is_character else row.user_id)
        for row in reversed(rows)
    ]


def chat_of(connection: Connection, conversation: Conversation) -> int:
    """The number of the chat's row, which is made if it is not there."""
    where = {"chat_id": conversation.chat_id, "thread_id": conversation.thread_id}
    found = connection.scalar(FIND_CHAT, where)
    return found or _inserted(connection, ADD_CHAT, where)


def reset(connection: Connection, conversation: Conversation) -> None:
    """Forget the dialogue so far."""
    here = chat_of(connection, conversation)
    connection.execute(RESET, {"here": here, "last": connection.scalar(LAST_MESSAGE, {"here": here}) or 0})


def store(connection: Connection, said: Sequence[Said], receipt: int | None, answer: str, newest: int = 0) -> None:
    """Store exchanges, and that the last of them answers the receipt; or, without any, that the `answer` does.

    What is to be sent will stand after the message `newest`. Ids tell the order: the question's first. Raises
    AlreadyAnsweredError.
    """
    questions = [_question(connection, each) for each in said]
    waited = None
    if receipt is not None:
        asked = questions[-1][1] if questions else None
        waited = _answered(connection, {"receipt": receipt, "answer": answer, "asked": asked, "newest": newest})
    for (chat, question), each in zip(questions, said, strict=True):
        row = _row(chat, each.exchange, each.exchange.answer)
        connection.execute(ADD_MESSAGE, {**row, "question": question, "waited": waited})


def piece_of(rows: Sequence[Any]) -> Piece | None:
    """What `PIECES` has given of one question; None if there is none."""
    if not rows:
        return None
    first, answers = rows[0], [row for row in rows if row.answer is not None]
    shown = [number for number, row in enumerate(answers, 1) if row.is_shown]
    return Piece(
        first.id,
        Line(first.speaker, first.text),
        tuple(row.answer for row in answers),
        shown[0] if shown else 0,
        first.user_id,
        first.message,
        tuple(first.answered_in or ()),
        frozenset(number for number, row in enumerate(answers, 1) if row.is_disliked),
        Mode(first.mode),
    )


def _question(connection: Connection, said: Said) -> tuple[int, int]:
    """The numbers of the chat's row and of the question's, which is stored unless it is there."""
    if said.question is not None:
        return connection.execute(CHAT_OF, {"question": said.question}).scalar_one(), said.question
    assert said.conversation is not None, "what answers no question is said somewhere"
    chat = chat_of(connection, said.conversation)
    row = {**_row(chat, said.exchange, said.exchange.question), "message": said.exchange.message}
    if said.answered_in:
        row["answered_in"] = list(said.answered_in)
    return chat, _inserted(connection, ADD_MESSAGE, row)


def _inserted(connection: Connection, statement: Insert, row: Mapping[str, Any]) -> int:
    """Insert a row; returns its number."""
    key = connection.execute(statement, row).inserted_primary_key
    assert key is not None, "each of our tables has one"
    return int(key[0])


def _answered(connection: Connection, values: Mapping[str, Any]) -> float:
    """Mark a receipt as answered; how many seconds it has waited."""
    received_at = connection.scalar(ANSWERED, values)
    if received_at is None:
        raise AlreadyAnsweredError("answered by another process")
    waited = now() - received_at.replace(tzinfo=received_at.tzinfo or UTC)  # SQLite keeps no zone.
    return max(0.0, waited.total_seconds())


def _row(chat: int, exchange: Exchange, line: Line) -> dict[str, Any]:
    """One of the two lines of an exchange."""
    return {
        "chat": chat,
        "mode": exchange.mode,
        "is_character": line.is_character,
        "speaker": line.speaker,
        "text": line.text,
        "version": exchange.version if line.is_character else "",
        "persona": exchange.persona or None,
        "user_id": exchange.person,
    }
