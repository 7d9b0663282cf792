"""Dialogue -> token ids. The only place that knows the prompt format, in training and in serving alike.

Everything is built from token ids: what people type is encoded with control tokens switched off, so no text can
ever become one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import DecodeStream

from model.atomic import read_json
from model.errors import ModelError

CHAT_START, CHAT_END = "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of a dialogue; `is_character` tells whose: the character's own, or somebody else's."""

    speaker: str
    text: str
    is_character: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A training example: `ids[answer_start:]` is the answer with its closing token.

    `earlier` says where in `ids` lines before it stand, each with its closing token, that are learned, too. Nothing
    else is.
    """

    ids: list[int]
    answer_start: int
    earlier: tuple[range, ...] = ()

    @property
    def learned(self) -> tuple[range, ...]:
        """Where all that is learned stands in `ids`, in order."""
        return (*self.earlier, range(self.answer_start, len(self.ids)))


class TextStream:
    """Turns tokens into text as they come; holds back bytes that are no whole character yet."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)

    def push(self, token: int) -> str:
        """The text that `token` completes; "" for a control token, and while a character is unfinished."""
        return self._stream.step(self._tokenizer, token) or ""


class Prompt:
    """The prompt format of one base and one character.

    `chatml`: bases whose vocabulary has `<|im_start|>`: the persona card is the system turn, other people's lines are
    user turns, the character's are assistant turns. `turns` (the GPT-2 family): lines joined by the end-of-text token,
    as DialoGPT was trained (Zhang et al. 2020); there is no room for a card in it.
    """

    def __init__(self, tokenizer: Tokenizer, end_of_text: int, card: str = "") -> None:
        self._tokenizer = tokenizer
        start, end = tokenizer.token_to_id(CHAT_START), tokenizer.token_to_id(CHAT_END)
        self.format = "turns" if start is None or end is None else "chatml"
        self._start_of_turn = end_of_text if start is None else start
        self.end_of_turn = end_of_text if self.format == "turns" or end is None else end
        _make_control_tokens_unwritable(tokenizer, (self.end_of_turn, self._start_of_turn, end_of_text))
        self.opening = self._role_turn("system", card).ids if self.format == "chatml" and card.strip() else []

    @classmethod
    def from_folder(cls, folder: Path, card: str = "") -> "Prompt":
        """Read `tokenizer.json` and the end-of-text id of `config.json`; ModelError names what is missing."""
        end_of_text = _end_of_text(folder / "config.json")
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{folder / 'tokenizer.json'} cannot be read: {error}") from error
        return cls(tokenizer, end_of_text, card)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, control tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def encode(self, history: Sequence[Turn], max_tokens: int) -> list[int]:
        """Ids, at most `max_tokens`, that end where the character's answer begins.

        Oldest turns are dropped whole until the rest fits; if the last turn alone is too long, its beginning goes.
        """
        return self._encode(history, max_tokens)[0]

    def encode_example(
        self, context: Sequence[Turn], answer: str, max_tokens: int, learned: Sequence[int] = ()
    ) -> Example:
        """The prompt for `context`, then `answer` and its closing token, in at most `max_tokens` ids.

        An answer too long for half of the room is cut, and then has no closing token: it did not end there. `learned`
        are the places in `context`, in order, of lines that are to be learned as well.
        """
        answer_ids = [*self._encode_text(answer), self.end_of_turn][: max_tokens // 2]
        prompt, spoken = self._encode(context, max_tokens - len(answer_ids))
        dropped = len(context) - len(spoken)
        earlier = (spoken[place - dropped] for place in learned if place >= dropped)
        return Example([*prompt, *answer_ids], len(prompt), _with_something_before(earlier))

    def encode_scene(self, lines: Sequence[Turn], max_tokens: int) -> list[Example]:
        """The lines of a scene, each of them learned whoever says it, in as many examples as `max_tokens` asks for.

        Each begins with the persona card. Those in which the character is silent are left out; of a line too long for
        an example, the beginning goes.
        """
        room, left = self._room(max_tokens), 0
        parts: list[list[tuple[bool, _TurnIds]]] = []
        for line in lines:
            turn = self._encode_turn(line, room)
            if len(turn.ids) > left:
                parts.append([])
                left = room
            parts[-1].append((line.is_character, turn))
            left -= len(turn.ids)
        spoken = [[turn for _, turn in part] for part in parts if any(own for own, _ in part)]
        return [example for turns in spoken if (example := self._all_learned(turns))]

    def _all_learned(self, turns: "Sequence[_TurnIds]") -> Example | None:
        """All words of these turns to be learned; None if there is nothing before any of them to predict from."""
        ids, spoken = self._after_opening(turns)
        *earlier, last = spoken
        return Example(ids[: last.stop], last.start, _with_something_before(earlier)) if last.start else None

    def fits(self, context: Sequence[Turn], answer: str, max_tokens: int) -> bool:
        """Whether `encode_example` would keep every line of `context`, and `answer`, whole."""
        ids = [self.opening, self._answer_opening(), self._encode_text(answer), [self.end_of_turn]]
        return sum(map(len, [*ids, *(self._encode_turn(turn).ids for turn in context)])) <= max_tokens

    def stream(self) -> "TextStream":
        """A decoder for one answer that comes token by token."""
        return TextStream(self._tokenizer)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`, control tokens left out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def _encode(self, history: Sequence[Turn], max_tokens: int) -> tuple[list[int], list[range]]:
        """See `encode`; also where the words of each turn that is left stand, with their closing token."""
        opening = self._answer_opening()
        ids, spoken = self._after_opening(self._newest_that_fit(history, self._room(max_tokens) - len(opening)))
        return [*ids, *opening] or [self.end_of_turn], spoken

    def _room(self, max_tokens: int) -> int:
        """Tokens beside the persona card; ModelError if that leaves none for an answer."""
        room = max_tokens - len(self.opening)
        if room <= len(self._answer_opening()):
            raise ModelError(f"the persona card fills all {max_tokens} tokens of the prompt: shorten it")
        return room

    def _after_opening(self, turns: "Iterable[_TurnIds]") -> tuple[list[int], list[range]]:
        """The persona card and these turns; also where the words of each turn stand, with their closing token."""
        ids, spoken = list(self.opening), []
        for turn in turns:
            spoken.append(range(len(ids) + turn.words.start, len(ids) + turn.words.stop))
            ids += turn.ids
        return ids, spoken

    def _newest_that_fit(self, history: Sequence[Turn], room: int) -> "list[_TurnIds]":
        kept: list[_TurnIds] = []
        for turn in reversed(history):
            encoded = self._encode_turn(turn)
            if sum(len(one.ids) for one in kept) + len(encoded.ids) > room:
                return kept[::-1] or [self._encode_turn(turn, room)]
            kept.append(encoded)
        return kept[::-1]

    def _encode_text(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text.strip(), add_special_tokens=False).ids)

    def _encode_turn(self, turn: Turn, room: int | None = None) -> "_TurnIds":
        if self.format == "chatml":
            return self._role_turn("assistant" if turn.is_character else "user", turn.text, room)
        ids = [*_tail(self._encode_text(turn.text), room, 1), self.end_of_turn]
        return _TurnIds(ids, range(len(ids)))

    def _role_turn(self, role: str, text: str, room: int | None = None) -> "_TurnIds":
        opening = [self._start_of_turn, *self._encode_raw(f"{role}\n")]
        closing = [self.end_of_turn, *self._encode_raw("\n")]
        words = _tail(self._encode_text(text), room, len(opening) + len(closing))
        return _TurnIds([*opening, *words, *closing], range(len(opening), len(opening) + len(words) + 1))

    def _answer_opening(self) -> list[int]:
        return [self._start_of_turn, *self._encode_raw("assistant\n")] if self.format == "chatml" else []

    def _encode_raw(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True, slots=True)
class _TurnIds:
    """A turn with all its tokens, and where its words and their closing token stand among them."""

    ids: list[int]
    words: range


def _with_something_before(words: Iterable[range]) -> tuple[range, ...]:
    """What stands at the very beginning of an example has nothing before it to be predicted from."""
    return tuple(each for each in words if each.start > 0)


def _tail(ids: list[int], room: int | None, frame: int) -> list[int]:
    """The end of a text that must fit into `room` together with the `frame` ids around it."""
    return ids if room is None else ids[max(0, len(ids) - max(0, room - frame)) :]


def _make_control_tokens_unwritable(tokenizer: Tokenizer, ids: Iterable[int]) -> None:
    # Some vocabularies hold their markers as plain added tokens, which the switch below would not cover.
    markers = [AddedToken(tokenizer.id_to_token(i), special=True, normalized=False) for i in sorted(set(ids))]
    tokenizer.add_special_tokens(markers)
    tokenizer.encode_special_tokens = True


def _end_of_text(config_file: Path) -> int:
    found = read_json(config_file).get("eos_token_id")
    first = found[0] if isinstance(found, list) and found else found
    if not isinstance(first, int):
        raise ModelError(f"{config_file} names no eos_token_id")
    return first
