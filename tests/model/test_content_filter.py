"""What a child's character must not say, and what must not be mistaken for it."""

import pytest

from model.content_filter import ContentFilter


@pytest.fixture(scope="module")
def content_filter() -> ContentFilter:
    return ContentFilter()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "What the fuck?",
            "He fucks up.",
            "Oh shit!",
            "You asshole.",
            "Kiss my ass!",
            "Those bitches.",
            "What a dick!",
        ),
        *("You whore.", "Fags.", "Those niggers.", "What a retard.", "That chink.", "Gooks!", "A tranny.", "Paki!"),
        *(
            "Let's have sex!",
            "Show me your tits!",
            "I am so horny.",
            "They made love.",
            "I watch porn.",
            "He masturbates.",
        ),
        *("He jerked off.", "Your erection shows.", "Nude pictures.", "He raped her."),
    ],
)
def test_slurs_swear_words_and_sexual_content_are_blocked(content_filter: ContentFilter, text: str) -> None:
    assert content_filter.blocks(text)


@pytest.mark.parametrize(
    "text",
    [
        *("I am reading Moby-Dick.", "Charles Dickens wrote it.", "Dick Van Dyke danced.", "He read Philip K. Dick."),
        *("Scunthorpe lies in England, as do Sussex and Essex.", "Mom went to a cocktail party.", "A pussy willow."),
        *("The male seahorse carries the babies.", "The Pequod hunted the sperm whale.", "A great tit and a titmouse."),
        *("I ate an assortment of donuts in class.", "Let me analyse the data.", "My therapist plays bass."),
        *("A walk for breast cancer research.", "Some people are gay.", "An owl goes hoot.", "What the hell?", "Damn!"),
        *(
            "That is stupid, you moron.",
            "That sucks.",
            "Get off my butt, Bart.",
            "Ella could scat.",
            "Negro spirituals.",
        ),
        *("A raccoon and a Maine coon.", "Shiitake mushrooms.", "Uranus is a planet.", "To Kill a Mockingbird."),
        *(
            "Women fought sex discrimination.",
            "It can change its sex.",
            "A cock crows at dawn.",
            "My uncle Dick is nice.",
        ),
        *("Я играю на саксофоне.", "Употребляйте овощи.", "My dad makes donuts, and we love making them."),
    ],
)
def test_what_children_talk_about_is_not(content_filter: ContentFilter, text: str) -> None:
    assert not content_filter.blocks(text)
