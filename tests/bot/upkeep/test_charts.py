"""The picture of the figures: looked at pixel by pixel, as far as a test can look."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageColor, ImageFont

from bot.handlers.figures import panels
from bot.locales import LANGUAGES, Locales
from bot.upkeep.charts import BLUE, FONT, GREEN, ORANGE, PANEL_HEIGHT, RED, WIDTH, Panel, Series, Value, draw
from bot.upkeep.figures import Figures, Opinions, Traffic, Waits

FIRST = date(2026, 3, 1)


def picture(count: int, *shown: Panel) -> Image.Image:
    png = draw([FIRST + timedelta(days=number) for number in range(count)], shown)
    return Image.open(BytesIO(png))


def column(image: Image.Image, number: int, count: int, colour: str) -> int:
    """How many pixels of a colour there are in the middle of a day."""
    left, right = 96, WIDTH - 36
    x = int(left + (right - left) * (number + 0.5) / count)
    wanted = ImageColor.getrgb(colour)
    return sum(image.getpixel((x, y)) == wanted for y in range(image.height))


def bars(*values: Value, colour: str = BLUE) -> Panel:
    return Panel("Messages a day", [Series("", colour, values)])


def test_the_picture_is_a_png_that_telegram_shows_in_full_size() -> None:
    image = picture(30, *[bars(*range(30))] * 4)
    assert (image.format, image.size) == ("PNG", (WIDTH, 4 * PANEL_HEIGHT))
    assert max(image.size) <= 1280


def test_it_is_dark_on_light() -> None:
    colours = picture(3, bars(1, 2, 3)).convert("L").histogram()
    assert colours[255] > 0.7 * WIDTH * PANEL_HEIGHT
    assert sum(colours[:70]) > 100


def test_bars_are_as_high_as_their_values() -> None:
    image = picture(4, bars(0, 25, 50, 100))
    heights = [column(image, number, 4, BLUE) for number in range(4)]
    assert heights[0] == 0
    assert heights[3] - heights[2] == pytest.approx(2 * (heights[2] - heights[1]), abs=3)
    assert heights[3] > 150


def test_what_belongs_together_is_stacked() -> None:
    image = picture(2, Panel("Opinions", [Series("likes", GREEN, [6, 1]), Series("dislikes", RED, [2, 0])]))
    likes, dislikes = column(image, 0, 2, GREEN), column(image, 0, 2, RED)
    assert likes == pytest.approx(3 * dislikes, abs=20)
    assert column(image, 1, 2, RED) == 0


def test_a_line_has_a_gap_where_nothing_is_known_and_a_lonely_day_is_seen() -> None:
    values = [1.5, 2.0, None, 1.0, None]
    image = picture(5, Panel("Seconds", [Series("half", ORANGE, values)], is_lines=True, whole=False))
    assert [column(image, number, 5, ORANGE) > 0 for number in range(5)] == [True, True, False, True, False]


@pytest.mark.parametrize("values", [[1], [0, 1], [0.4] * 3, [9_999_999] * 366, [float(n) for n in range(62)]])
def test_any_number_of_days_and_any_size_of_values_can_be_drawn(values: list[Value]) -> None:
    shown = bars(*values), Panel("Seconds", [Series("half", ORANGE, values)], is_lines=True, whole=False)
    image = picture(len(values), *shown)
    assert image.height == 2 * PANEL_HEIGHT
    red, _green, blue = image.split()
    for colour in (ImageChops.subtract(blue, red), ImageChops.subtract(red, blue)):  # Bars are blue, lines orange.
        assert sum(colour.histogram()[60:]) > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_has_every_letter_of_the_labels(language: str) -> None:
    days = {FIRST: Traffic(1, 1)}, {FIRST: Waits(1, 2)}, {FIRST: Opinions(1, 1)}
    figures = Figures(FIRST, FIRST, Traffic(1, 1), Waits(1, 2), Opinions(1, 1), *days)
    shown = panels(Locales().speak(language), figures)
    labels = {panel.title for panel in shown} | {series.label for panel in shown for series in panel.series}
    font = ImageFont.truetype(FONT, 40)
    missing = bytes(font.getmask("\uffff"))
    letters = set("".join(labels)) | set("абвгдежзийклмнопрстуфхцчшщъыьэюяё-0123456789")
    assert [letter for letter in letters - {" "} if bytes(font.getmask(letter)) == missing] == []


def test_what_was_always_nothing_gets_no_panel() -> None:
    figures = Figures(FIRST, FIRST, Traffic(2, 1), None, Opinions(), {FIRST: Traffic(2, 1)})
    assert [panel.title for panel in panels(Locales().speak("en"), figures)] == ["Messages a day", "Active chats a day"]
