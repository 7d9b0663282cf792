"""Languages: what is clearly foreign is known, and what may be English is never refused."""

import csv
from pathlib import Path

import pytest

from bot.languages import LanguageDetector, is_plain, says_enough

SCRIPT = Path(__file__).parents[2] / "data_prep" / "demo" / "springfield_script_lines.csv"
SHORT = 60  # Characters: the shorter, the harder to tell.

HARD = """
ok, haha, lol, hi lisa!!!, nooooo, 42, 2 + 2 = 4, 🎷🎷🎷, :D :D :D :D, привет, 你好, hola, bonjour lisa,
danke, ciao bella,
Bart, Maggie Marge Homer Bart, Juan Carlos García López, Giovanni Pierluigi da Palestrina, Apu Nahasapeemapetilon,
La Vie En Rose, Eine Kleine Nachtmusik, Despacito, La donna è mobile, Für Elise, Les Misérables, hakuna matata,
du du du du du, la la la la la, do re mi fa, r u a robot, u r so cool lol, wat r u doin rn, no ur a genius, idk tbh ngl,
whos ur bff, i luv u so much, omg im sooo bored, do u play sax, what does bonjour mean, is despacito a good song,
how do you say je t'aime in french, my abuela makes the best empanadas, i had spaghetti bolognese for dinner,
YES I DO LIKE IT, gimme gimme gimme a man, a e i o u, mmm mmm mmm mmm, wanna go 2 da mall, y tho, who da man
"""
FOREIGN = """
как дела, Лиза? чем занимаешься сегодня?
ich habe heute keine Lust auf Schule
kannst du mir bei den Hausaufgaben helfen?
wie heißt denn dein Bruder?
est-ce que tu peux m'aider avec mes devoirs ?
je ne comprends pas ce que tu dis
me gusta mucho la música, ¿y a ti?
¿puedes ayudarme con los deberes?
non capisco che cosa stai dicendo
puoi aiutarmi con i compiti?
o que você está fazendo hoje?
ik hou heel veel van muziek
nie rozumiem co do mnie mówisz
що ти робиш сьогодні ввечері?
bugün okulda neler yaptın?
今天你在学校做了什么？
今日は学校で何をしましたか？
오늘 학교에서 뭐 했어요?
ماذا فعلت اليوم في المدرسة؟
ICH VERSTEHE DICH LEIDER GAR NICHT
"""


@pytest.fixture(scope="module")
def english_lines() -> list[str]:
    """The short lines of somebody who speaks English only; that she then and now says "Hola!" changes nothing."""
    with SCRIPT.open(encoding="utf-8", newline="") as file:
        lines = {row["spoken_words"] for row in csv.DictReader(file) if row["raw_character_text"] == "Lisa Simpson"}
    return sorted(line for line in lines if 0 < len(line) <= SHORT)


async def test_no_short_english_line_of_a_whole_script_is_foreign(english_lines: list[str]) -> None:
    detector = LanguageDetector()
    as_typed = [line.lower().replace("'", "").rstrip(".!?") for line in english_lines]
    assert len(english_lines) > 3000
    assert [line for line in english_lines + as_typed if await detector.is_foreign(line, ["en"])] == []


@pytest.mark.parametrize("text", [line.strip() for line in HARD.replace("\n", " ").split(",")])
async def test_names_titles_greetings_and_childrens_english_are_not_foreign(text: str) -> None:
    assert not await LanguageDetector().is_foreign(text, ["en"])


@pytest.mark.parametrize("text", FOREIGN.strip().splitlines())
async def test_a_sentence_in_another_language_is_foreign(text: str) -> None:
    assert await LanguageDetector().is_foreign(text, ["en"])


async def test_what_somebody_speaks_is_foreign_to_nobody_who_speaks_it_too() -> None:
    detector = LanguageDetector()
    assert not await detector.is_foreign("ich habe heute keine Lust auf Schule", ["en", "de"])
    assert not await detector.is_foreign("чем ты сегодня занимаешься вечером?", ["ru"])
    assert await detector.is_foreign("what did you do at school today, my friend?", ["ru"])


@pytest.mark.parametrize("text", FOREIGN.strip().splitlines())
def test_plain_words_of_a_language_are_in_no_sentence_of_another(text: str) -> None:
    assert not is_plain(text, ["en", "tlh"])


def test_what_has_plain_english_words_is_understood_without_further_ado() -> None:
    assert is_plain("what does „ich liebe dich“ mean?", ["ru", "en"])
    assert not is_plain("what does „ich liebe dich“ mean?", ["ru"])


@pytest.mark.parametrize("spoken", [[], ["tlh"]])
async def test_of_whom_nobody_knows_what_they_speak_nothing_is_foreign(spoken: list[str]) -> None:
    assert not await LanguageDetector().is_foreign("ich habe heute keine Lust auf Schule", spoken)


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("cómo te llamas", False),
        ("cómo te llamas?", True),
        ("me llamo Ana", False),
        ("me llamo Ana y vivo en Madrid", True),
        ("меня зовут Аня", True),
        ("привет, Лиза", False),
        ("no no no no no", False),
        ("Angela Merkel und Olaf Scholz", False),
        ("WAS SOLL DAS DENN NUN", True),
        ("你叫什么名字？", True),
        ("東京", False),
        ("", False),
    ],
)
def test_a_few_different_words_are_enough_to_judge_by(text: str, enough: bool) -> None:
    assert says_enough(text) is enough
