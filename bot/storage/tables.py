"""The tables. A change here needs a migration; a test compares the two."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite counts rows by itself only in a column of type INTEGER, which holds 64 bits there.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class State(StrEnum):
    """How far an update has come. A row never goes back."""

    RECEIVED = "received"
    ANSWERED = "answered"
    DONE = "done"
    FAILED = "failed"


class Review(StrEnum):
    """Whether an opinion may be learned from."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Stage(StrEnum):
    """Whether a broadcast is a draft, or on its way."""

    DRAFT = "draft"
    LIVE = "live"


class Table(DeclarativeBase):
    """The base of all tables; constraints have predictable names, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Chat(Table):
    """A conversation: a chat, or one topic of a group. Messages up to `reset_after` are forgotten context.

    `unreachable_since` is when Telegram said that the bot may not write there; NULL since somebody wrote.
    """

    __tablename__ = "chats"
    __table_args__ = (UniqueConstraint("chat_id", "thread_id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int] = mapped_column(BigInteger)
    reset_after: Mapped[int] = mapped_column(BigInteger, default=0)
    unreachable_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Message(Table):
    """A line that was said, a question or an answer. `version` is the answering model's, empty for people.

    `persona` is the character that was asked; NULL in lines from before people could choose, which are the default's.

    `user_id` is Telegram's id of the person who said a question, or whom an answer is for; NULL where nobody knows.
    An answer names its `question`; one question may have several, of which the context holds the one that is shown.
    What was taken back is not shown either. A question has its `message` by Telegram's number, and in `answered_in`
    those of the messages that hold its answer. An answer has `waited`: how many seconds passed between the receipt of
    its question and the moment when it was there; NULL where nobody wrote that down.
    """

    __tablename__ = "messages"
    # Ids must not be used twice, even after rows are deleted: `reset_after` compares with them.
    __table_args__ = (
        Index(None, "chat", "mode", "id"),
        Index(None, "user_id"),
        Index(None, "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    chat: Mapped[int] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    mode: Mapped[str] = mapped_column(String(16))
    is_character: Mapped[bool]
    speaker: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(128))
    persona: Mapped[str | None] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    question: Mapped[int | None] = mapped_column(BigInteger, index=True)
    is_shown: Mapped[bool] = mapped_column(default=True)
    message: Mapped[int | None] = mapped_column(BigInteger)
    answered_in: Mapped[list[int] | None] = mapped_column(JSON)
    waited: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class ChatChoices(Table):
    """What a chat, or one topic of a group, has chosen; see `bot.chat_settings.ChatSettings`."""

    __tablename__ = "chat_settings"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    thread_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    persona: Mapped[str | None] = mapped_column(String(64))
    creativity: Mapped[str] = mapped_column(String(16))
    length: Mapped[str] = mapped_column(String(16))
    language: Mapped[str | None] = mapped_column(String(16))
    attention: Mapped[str] = mapped_column(String(16), server_default="addressed")


class Opinion(Table):
    """What a person thinks of an answer, and what should have been said instead; one row for each of the two.

    `receipt` is the update that changed it last: who reviews it decides about what stood there then. A correction is
    waited for as a reply to the message `asked_in`, and since `asked_at` also as the person's next message.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("message", "user_id"),
        Index(None, "user_id"),
        Index(None, "state", "id"),
        Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    message: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[str] = mapped_column(String(16))
    correction: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default=Review.NEW)
    receipt: Mapped[int] = mapped_column(BigInteger)
    asked_in: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)


class InboxRow(Table):
    """An update of Telegram's that was confirmed to it, and so is ours to answer.

    `payload` is the update as JSON, `reply` the answer to send and `question` what it answers, all of them only as long
    as they are needed. `parts_sent` counts the messages of a long reply that have gone out, `attempts` how often
    handling began again after a crash. `shown_in` is the number of the message in which the answer is being written.
    `newest` is the highest number of a message in any private chat that was known when the row was answered, or sent.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index(None, "state", "update_id"),)

    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16), default=State.RECEIVED)
    payload: Mapped[str | None] = mapped_column(Text)
    reply: Mapped[str | None] = mapped_column(Text)
    question: Mapped[int | None] = mapped_column(BigInteger)
    parts_sent: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    shown_in: Mapped[int | None] = mapped_column(BigInteger)
    newest: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Ban(Table):
    """Somebody who gets no answers: a person, or a group or channel (below 0)."""

    __tablename__ = "bans"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    banned_by: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Admission(Table):
    """A message that was let in and counts for the quotas, by the update that brought it. Kept for two days."""

    __tablename__ = "admissions"
    __table_args__ = (Index(None, "sender_id", "admitted_at"), Index(None, "chat_id", "admitted_at"))

    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sender_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    admitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class Broadcast(Table):
    """What an admin wants to say to all chats: a draft, or the one that is on its way. It is gone when it is over.

    `message` is the number of the message, in the admin's private chat, that shows how far it has come in `language`.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        Index(None, "stage", unique=True, sqlite_where=text("stage = 'live'"), postgresql_where=text("stage = 'live'")),
        {"sqlite_autoincrement": True},  # The buttons under old messages must not come to mean a new one.
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    admin: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(String(16), default=Stage.DRAFT)
    is_stopped: Mapped[bool] = mapped_column(default=False)
    message: Mapped[int | None] = mapped_column(BigInteger)
    language: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Recipient(Table):
    """A chat that gets the broadcast on its way: `state` is what came of it, or that it still waits."""

    __tablename__ = "recipients"
    __table_args__ = (Index(None, "broadcast", "state", "chat_id"),)

    broadcast: Mapped[int] = mapped_column(ForeignKey("broadcasts.id", ondelete="CASCADE"), primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))


class MovedGroup(Table):
    """A supergroup that was a group before, and the number that this had."""

    __tablename__ = "moved_groups"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    former_id: Mapped[int] = mapped_column(BigInteger)


class TrainingRow(Table):
    """A training of a character; see `bot.training.retraining.Training`. `verdict` is what the trainer told, as JSON.

    `message` is the one in which an admin has asked for it, and sees how far it is: it begins one training only.
    """

    __tablename__ = "training_runs"
    __table_args__ = (UniqueConstraint("admin", "message"), Index(None, "phase"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    persona: Mapped[str] = mapped_column(String(64))
    admin: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[int] = mapped_column(BigInteger)
    language: Mapped[str] = mapped_column(String(16))
    phase: Mapped[str] = mapped_column(String(16))
    pid: Mapped[int | None] = mapped_column(BigInteger)
    run: Mapped[str | None] = mapped_column(String)
    crashes: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    verdict: Mapped[str | None] = mapped_column(String)
    note: Mapped[str] = mapped_column(String, default="")
    is_told: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
