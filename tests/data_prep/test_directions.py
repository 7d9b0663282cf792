import pytest

from data_prep.directions import split_directions


@pytest.mark.parametrize(
    ("text", "words", "directions"),
    [
        ("Good morning.", "Good morning.", ""),
        ("(YAWNING) Good morning.", "Good morning.", "YAWNING"),
        ("Now, (SOUR) just in case", "Now, just in case", "SOUR"),
        ("(SIGHS) Well (SITS DOWN) then.", "Well then.", "SIGHS; SITS DOWN"),
        ("(TO DOG (A LARGE ONE)) Sit!", "Sit!", "TO DOG A LARGE ONE"),
        ("Yes [on phone] speaking.", "Yes speaking.", "on phone"),
        ("(SMILES)", "", "SMILES"),
    ],
)
def test_directions_are_taken_out_wherever_they_stand(text: str, words: str, directions: str) -> None:
    assert split_directions(text) == (words, directions)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("And the drum (ROLL), please.", "And the drum, please."),
        ("How about... (POINTS). Someone taller.", "How about... Someone taller."),
        ("We leave today. (SOBS). Pack!", "We leave today. Pack!"),
        ("So (PAUSE) ...yes.", "So ...yes."),
        ("(BEEP)] Hello again.", "Hello again."),
    ],
)
def test_punctuation_closes_up_where_a_direction_was(text: str, words: str) -> None:
    assert split_directions(text)[0] == words


@pytest.mark.parametrize(
    ("text", "words", "directions"),
    [
        ("[Pam waves", "", "Pam waves"),
        ("Come on. [climbs on the desk", "Come on.", "climbs on the desk"),
        ("[hangs up[ I lost it.", "I lost it.", "hangs up"),
        ("(waking up] Where am I?", "Where am I?", "waking up"),
        ("Out! (SLAMS DOOR", "Out!", "SLAMS DOOR"),
    ],
)
def test_directions_that_do_not_close_properly_end_where_they_must(text: str, words: str, directions: str) -> None:
    assert split_directions(text) == (words, directions)


@pytest.mark.parametrize(
    "text",
    [
        'Play "Gone (Till the Rain Comes)" again.',
        "Dial (555) 0199 now.",
        "A.) a boat, or B.) a goat?",
        "I would (and this is a secret stay",
    ],
)
def test_brackets_that_are_spoken_stay(text: str) -> None:
    assert split_directions(text) == (text, "")
