"""Overlapping windows joined to passages."""

from pathlib import Path

import pytest
import torch

from model.dataset import AnswerExamples, collate
from model.examples import Dialogue
from model.passages import join_windows
from model.prompt import Prompt, Turn

SCENE = [
    ("Jim", "Morning."),
    ("Dwight", "Fact."),
    ("Pam", "Hi."),
    ("Jim", "Why?"),
    ("Dwight", "Bears."),
    ("Jim", "Oh."),
]


def turns(*lines: tuple[str, str]) -> tuple[Turn, ...]:
    return tuple(Turn(who, text, who == "Dwight") for who, text in lines)


def windows(scene: int = 1) -> list[Dialogue]:
    """What data_prep makes of the scene: up to three lines before each of Dwight's, and one after the last."""
    whole = [*SCENE, ("Dwight", "Beets.")]
    places = [place for place, (who, _) in enumerate(whole) if who == "Dwight"]
    return [Dialogue(turns(*whole[max(0, n - 3) : n]), whole[n][1], scene) for n in places]


def test_windows_that_overlap_become_the_scene_they_were_cut_from() -> None:
    (passage,) = join_windows(windows(), lambda _: True)
    assert [(line.text, line.is_character) for line in passage.context] == [
        (text, who == "Dwight") for who, text in SCENE
    ]
    assert (passage.answer, passage.learned) == ("Beets.", (1, 4))


def test_windows_of_other_scenes_or_without_a_shared_line_stay_alone() -> None:
    here, there = windows(1), windows(2)
    assert join_windows([here[0], there[1]], lambda _: True) == [here[0], there[1]]
    far = Dialogue(turns(("Jim", "One."), ("Pam", "Two."), ("Jim", "Three.")), "Four.", 1)
    assert join_windows([here[0], far], lambda _: True) == [here[0], far]
    unknown = [Dialogue(window.context, window.answer) for window in here]
    assert join_windows(unknown, lambda _: True) == unknown


def test_a_passage_that_would_not_fit_begins_anew_with_its_own_window() -> None:
    joined = join_windows(windows(), lambda passage: len(passage.learned) < 2)
    assert [(passage.answer, len(passage.learned)) for passage in joined] == [("Bears.", 1), ("Beets.", 0)]
    assert joined[1] == windows()[2]


def test_every_answer_of_a_passage_is_learned_with_its_closing_token_and_nothing_else(either_base: Path) -> None:
    prompt = Prompt.from_folder(either_base, "You are Dwight.")
    examples = AnswerExamples(join_windows(windows(), lambda _: True), prompt, 256)
    assert (len(examples), examples.answers) == (1, 3)
    ids = examples[0].ids
    learned = [ids[words.start : words.stop] for words in examples[0].learned]
    assert [prompt.decode(words) for words in learned] == ["Fact.", "Bears.", "Beets."]
    assert all(words[-1] == prompt.end_of_turn for words in learned)
    batch = collate([examples[0], examples[0]])
    assert batch["shift_labels"].tolist() == [token for _ in range(2) for words in learned for token in words]


def test_an_answer_in_a_passage_scores_as_it_does_alone(either_base: Path) -> None:
    from model.engines.transformers import load_model
    from model.evaluation.likelihood import answer_logits

    prompt, model = Prompt.from_folder(either_base, "You are Dwight."), load_model(either_base)
    (passage,) = join_windows(windows(), lambda _: True)
    alone = [
        prompt.encode_example(passage.context[:place], text, 256)
        for place, text in ((1, "Fact."), (4, "Bears."), (6, "Beets."))
    ]
    joined = AnswerExamples([passage], prompt, 256)[0]
    with torch.inference_mode():
        whole = answer_logits(model, collate([joined]))
        each = torch.cat([answer_logits(model, collate([example])) for example in alone])
    torch.testing.assert_close(whole, each, rtol=1e-4, atol=1e-4)


def test_dropped_context_ends_before_the_line_that_is_answered_first(either_base: Path) -> None:
    prompt = Prompt.from_folder(either_base)
    lead = turns(("Jim", "One."), ("Pam", "Two."))
    passage = Dialogue((*lead, *turns(*SCENE[:5])), "Beets.", 1, (3, 6))
    examples = AnswerExamples([passage] * 60, prompt, 256, context_dropout=1.0)
    wholes = [prompt.encode_example(passage.context[n:], "Beets.", 256, (3 - n, 6 - n)) for n in (1, 2)]
    assert {tuple(examples[i].ids) for i in range(60)} == {tuple(whole.ids) for whole in wholes}
    assert all(len(examples[i].learned) == 3 for i in range(60))


@pytest.mark.parametrize("card", ["", "You are Dwight."])
def test_whether_a_passage_fits_is_what_encoding_it_says(either_base: Path, card: str) -> None:
    prompt = Prompt.from_folder(either_base, card)
    length = len(prompt.encode_example(turns(*SCENE), "Beets.", 500).ids)
    assert prompt.fits(turns(*SCENE), "Beets.", length)
    assert not prompt.fits(turns(*SCENE), "Beets.", length - 1)


def test_a_line_with_nothing_before_it_is_not_learned(gpt2_base: Path) -> None:
    prompt = Prompt.from_folder(gpt2_base)
    example = prompt.encode_example(turns(("Dwight", "Fact."), ("Jim", "Why?")), "Because.", 64, (0,))
    assert example.earlier == ()
