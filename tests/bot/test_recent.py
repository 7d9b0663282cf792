"""A memory of what was last: it holds the newest, and does not grow without end."""

from bot.recent import Recent


def test_the_newest_value_is_remembered() -> None:
    recent: Recent[str, int] = Recent()
    assert recent.last("a") is None
    recent.replace("a", 1)
    recent.replace("a", 2)
    assert recent.last("a") == 2


def test_who_has_not_been_heard_of_for_the_longest_time_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(room=2)
    for key in ("a", "b", "a", "c"):
        recent.replace(key, 1)
    assert [recent.last(key) for key in ("a", "b", "c")] == [1, None, 1]
