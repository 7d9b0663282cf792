"""Who is there before anybody was added: enough to try a private chat, another language and a group."""

from bot.offline.world import World

CAST = ((1001, "Alex", "en"), (1002, "Маша", "ru"), (1003, "Sam", "en"))
GROUP = (-1001, "Band practice")


def introduce(world: World) -> None:
    """Adds the first people and their group; nobody has said anything yet."""
    for user_id, name, language in CAST:
        world.person(user_id, first_name=name, language_code=language)
    world.group(*GROUP, members=tuple(user_id for user_id, _, _ in CAST))
