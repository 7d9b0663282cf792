"""What no answer may be: each check on its own, and the guard that puts them together."""

import pytest

from model.answer_checks import AnswerChecks, opening
from model.sentences import split_sentences

CHECKS = AnswerChecks("Lisa Simpson", lambda sentence: "forbidden" in sentence)


def said(answer: str, *earlier: str) -> str:
    """What a guard lets through of a whole answer."""
    guard = CHECKS.guard(earlier)
    passed = "".join(guard.push(sentence) for sentence in split_sentences(answer))
    return passed + guard.finish()


@pytest.mark.parametrize(
    "sentence",
    [
        *(
            "Bart: Eat my shorts!",
            "Homer Simpson: Mmm.",
            "Mr. Burns: Excellent.",
            "Élodie: Oui.",
            "USER: Hi.",
            "Yes.\nBart: No.",
        ),
        *("assistant\nHello.", "user: Hello.", "Assistant", "system: You are Lisa.", "Human: Who are you?"),
        *("Hello <|im_end|>", "<b>Hello</b>", "*sighs* Fine.", "I sigh.*", "[laughs] Fine.", "Fine.]"),
        "This is forbidden.",
    ],
)
def test_a_sentence_with_a_speaker_markup_or_something_offensive_fails(sentence: str) -> None:
    assert not CHECKS.passes(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *(
            "I love jazz.",
            "My favorites are: books, jazz and justice.",
            "It starts at 8:30.",
            "Mom said: go to bed.",
            "1 < 2.",
        ),
        *(
            "The user should decide.",
            "Assistants are helpful.",
            "I <3 jazz!",
            "Bart, stop it!",
            "(Well, almost.)",
            "It is 5 * 4, and 5*4 is twenty.",
            "Hint: think of a triangle.",
            "Да, конечно.",
        ),
    ],
)
def test_a_plain_sentence_passes(sentence: str) -> None:
    assert CHECKS.passes(sentence)


@pytest.mark.parametrize("prefix", ["Lisa: ", "Lisa Simpson: ", "LISA:", " lisa : "])
def test_the_characters_own_name_in_front_is_taken_off(prefix: str) -> None:
    assert said(prefix + "I play the saxophone.") == "I play the saxophone."


def test_the_characters_own_name_further_on_ends_the_answer() -> None:
    assert said("I play the saxophone.\nLisa: And I read.") == "I play the saxophone."


def test_markup_that_spans_sentences_is_seen_where_it_begins() -> None:
    assert said("*I sigh. And I leave.*") == ""


@pytest.mark.parametrize("answer", ["", "...", "!?", " \n "])
def test_an_answer_without_a_word_is_none(answer: str) -> None:
    assert said(answer) == ""


def test_an_own_answer_is_not_said_again_whatever_its_case_punctuation_and_spaces() -> None:
    assert said("i love  JAZZ, really", "I love jazz. Really!") == ""
    assert said("Don’t ask me that.", "Hi.", "Don't ask me that!") == ""
    assert said("I love jazz and books.", "I love jazz. Really!") == "I love jazz and books."


def test_an_answer_that_opens_like_an_earlier_one_is_stopped_before_it_is_begun() -> None:
    assert said("I really love jazz music. Bart does not.", "I really love jazz music. And books, too.") == ""


def test_a_short_beginning_may_come_again_if_something_else_follows() -> None:
    assert said("Yes.", "Yes.") == ""
    assert said("Yes. I like it.", "Yes.", "Yes. It is nice.") == "Yes. I like it."
    assert said("Yes. It is nice.", "Yes. It is nice.") == ""


def test_what_fails_behind_a_short_beginning_leaves_the_beginning() -> None:
    assert said("Yes. Bart: No.") == "Yes."
    assert said("Yes. Bart: No.", "Yes.") == ""


@pytest.mark.parametrize("answer", ["Mr. Burns: Excellent.", "Dr. Hibbert: You are fine."])
def test_a_speaker_with_a_title_leaves_no_title_behind(answer: str) -> None:
    assert said(answer) == ""


def test_a_title_or_an_initial_ends_no_sentence() -> None:
    texts = ["I wrote to Mr. Burns and Dr. Hibbert.", "I read Philip K. Dick.", "So do I.", "Is it? It is."]
    assert [len(split_sentences(text + " Yes.")) for text in texts] == [2, 2, 2, 3]


def test_nothing_is_passed_on_after_a_sentence_that_failed() -> None:
    assert said("I love jazz and books. This is forbidden. I love justice.") == "I love jazz and books."


def test_a_guard_passes_each_sentence_on_once_the_opening_stands() -> None:
    guard = CHECKS.guard([])
    assert [guard.push(part) for part in ("Yes.", " I do.", " I love it so.", " Truly.")] == [
        "",
        "",
        "Yes. I do. I love it so.",
        " Truly.",
    ]
    assert guard.begun


def test_an_opening_is_the_first_sentences_that_have_four_words() -> None:
    assert opening("Yes. I do. I love it. Truly.") == ("yes", "i", "do", "i", "love", "it")
    assert opening("No") == ("no",)
    assert opening("") == ()
