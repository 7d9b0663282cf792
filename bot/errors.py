"""The errors of the bot: one short tree. Each message is one line that a person can act on."""


class BotError(Exception):
    """Anything the bot itself reports."""


class SettingsError(BotError):
    """A setting is missing or wrong; the message names its key."""


class StorageError(BotError):
    """The database did not do what was asked; the message names neither text nor password."""


class BackupError(BotError):
    """The database could not be backed up or restored; the message names the file."""


class CastingError(BotError):
    """A character cannot be played; the message names it, and what is wrong."""


class LessonsError(BotError):
    """The accepted answers could not be written; the message names the file."""


class RetrainingError(BotError):
    """A character cannot be retrained, or a version of it not be made live; the message is one line that says why."""


class EmptyAnswerError(BotError):
    """The character had nothing to say."""
