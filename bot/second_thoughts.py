"""Second thoughts about the end of the dialogue: another answer, another question, or neither of the two.

Only the last exchange can be changed, as what was said after it was said with it in mind. Knows neither Telegram nor
SQL; like the chat service it owns the commit, so a change that fails, or is cancelled, leaves no trace.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bot.chat_service import ChatService, Conversation, Exchange, Line, Listener, Mode, Request, UnitOfWork
from bot.reply_queue import Ticket


@dataclass(frozen=True, slots=True)
class Piece:
    """An exchange of the dialogue as it is kept: a question, all the answers drawn to it, and which one is shown.

    `shown` counts the answers from 1. `person` and `message` are the question's, as in `Request`; `answered_in` has the
    numbers of the messages that hold the answer, in order. `disliked` are the answers that somebody dislikes. By
    its `mode` a question may have been put on its own.
    """

    id: int
    question: Line
    answers: tuple[str, ...]
    shown: int
    person: int | None
    message: int | None
    answered_in: tuple[int, ...]
    disliked: frozenset[int] = frozenset()
    mode: Mode = Mode.DIALOGUE

    @property
    def is_disliked(self) -> bool:
        """Whether somebody dislikes the answer that is shown."""
        return self.shown in self.disliked

    def is_for(self, person: int | None) -> bool:
        """Whether this person may change it. Of what is nobody's in particular anybody may think again."""
        return self.person is None or self.person == person

    def is_changed_by(self, request: Request) -> bool:
        """Whether a request is this question, edited. Telegram also reports edits that leave the words as they were."""
        same = self.message is not None and self.message == request.message
        return same and self.question.text != request.line.text


class Revision(UnitOfWork, Protocol):
    """A transaction that can also change what has been said."""

    async def last_piece(self, conversation: Conversation) -> Piece | None:
        """The last exchange of the dialogue since it was last reset."""
        ...

    async def piece(self, conversation: Conversation, number: int) -> Piece | None:
        """An exchange of this conversation, whether or not it is still part of the dialogue."""
        ...

    async def piece_answered_by(self, receipt: int) -> Piece | None:
        """What the answer on record, still to be sent under this receipt, belongs to."""
        ...

    async def context_before(self, conversation: Conversation, piece: Piece, limit: int) -> list[Line]: ...
    async def add_answer(self, piece: Piece, exchange: Exchange) -> None:
        """Show the answer of `exchange` instead of those that are there; they are kept."""
        ...

    async def show(self, piece: Piece, number: int) -> None: ...
    async def take_back(self, piece: Piece) -> None:
        """Take an exchange out of the dialogue."""
        ...

    async def replace(self, conversation: Conversation, piece: Piece, exchange: Exchange) -> None:
        """Put another exchange in the place of this one, in the chat too."""
        ...


class SecondThoughts:
    """What people do with the last exchange of their dialogue."""

    def __init__(self, service: ChatService, revision: Callable[[], Revision]) -> None:
        self._service = service
        self._revision = revision

    async def last(self, conversation: Conversation) -> Piece | None:
        """The last exchange of the dialogue; None if there is none, or it is forgotten."""
        async with self._revision() as work:
            return await work.last_piece(conversation)

    async def find(self, conversation: Conversation, number: int) -> Piece | None:
        """An exchange by its number, if it is of this conversation."""
        async with self._revision() as work:
            return await work.piece(conversation, number)

    async def answered_by(self, receipt: int) -> Piece | None:
        """The exchange whose answer is on record under this receipt, and still to be sent."""
        async with self._revision() as work:
            return await work.piece_answered_by(receipt)

    async def retry(
        self, request: Request, piece: Piece, listener: Listener | None = None, ticket: Ticket | None = None
    ) -> str:
        """Draw another answer to the last question, with what was said before it in mind. Raises as `talk` does."""
        question = Request(request.conversation, piece.question, request.receipt, piece.person, piece.message)
        return await self._answer_anew(
            question, piece, lambda work, exchange: work.add_answer(piece, exchange), listener, ticket
        )

    async def revise(
        self, request: Request, piece: Piece, listener: Listener | None = None, ticket: Ticket | None = None
    ) -> str:
        """Answer what the last question was changed to; the old exchange is forgotten. Raises as `talk` does."""
        where = request.conversation
        return await self._answer_anew(
            request, piece, lambda work, exchange: work.replace(where, piece, exchange), listener, ticket
        )

    async def show(self, piece: Piece, number: int) -> Piece:
        """Make one of the answers that which counts, and return the exchange as it is then."""
        async with self._revision() as work:
            await work.show(piece, number)
            await work.commit()
        return replace(piece, shown=number)

    async def undo(self, conversation: Conversation, receipt: int, confirm: Callable[[Line], str]) -> str | None:
        """Take the last exchange out of the dialogue. Returns what `confirm` says of its question, if there is one.

        These words are put on record as the answer to the receipt: handled again, it takes nothing more back.
        """
        async with self._revision() as work:
            piece = await work.last_piece(conversation)
            if piece is None:
                return None
            await work.take_back(piece)
            words = confirm(piece.question)
            await work.answered(receipt, words)
            await work.commit()
        return words

    async def _answer_anew(
        self,
        request: Request,
        piece: Piece,
        keep: Callable[[Revision, Exchange], Awaitable[None]],
        listener: Listener | None,
        ticket: Ticket | None,
    ) -> str:
        async with self._service.turn(request, ticket) as errand:
            async with self._revision() as work:
                context = await work.context_before(request.conversation, piece, self._service.context_messages)
            exchange = await self._service.exchange(errand, request, context, Mode.DIALOGUE, listener)
            async with self._revision() as work:
                await keep(work, exchange)
                if request.receipt is not None:
                    await work.answered(request.receipt, exchange.answer.text)
                await work.commit()
            return exchange.answer.text
