"""The connection to Telegram as the settings want it: the application, and the way by which updates come in."""

import os
from typing import TYPE_CHECKING

from telegram.ext import ApplicationBuilder

from bot.errors import SettingsError
from bot.settings import Settings
from bot.transport.http import build_request
from bot.transport.moved_groups import Forwarding, Move
from bot.transport.updates import Fetching

if TYPE_CHECKING:
    from bot.chat_order import ChatOrder
    from bot.handlers import AnyApplication
    from bot.inbox import Inbox
    from bot.lifecycle import Intake

FLOOD_RETRIES = 3
HTTP_SECONDS = 20.0
CONNECTIONS = 256


def build_intake(settings: Settings, application: "AnyApplication", inbox: "Inbox") -> "Intake":
    """Polling, or a webhook where the settings name one."""
    from bot.transport.polling import Polling
    from bot.transport.webhook import Webhook

    if settings.webhook_url is None:
        return Polling(application)
    assert settings.webhook_secret is not None, "the settings insist on it"
    secret = settings.webhook_secret.get_secret_value()
    listen = settings.webhook_listen, settings.webhook_port
    return Webhook(application.bot, inbox, settings.webhook_url, secret, listen)


def build_application(
    token: str, settings: Settings, inbox: "Inbox", order: "ChatOrder", move: Move
) -> "AnyApplication":
    """An application whose updates come from the inbox, in the order of their chats; `move` is for `Forwarding`.

    Raises SettingsError where a package is missing that the proxy needs.
    """
    # The library warns at every flood limit unless it may use the type of its next version.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    builder = (
        ApplicationBuilder()
        .token(token)
        .update_queue(inbox)
        .concurrent_updates(order)
        .rate_limiter(Forwarding(move, FLOOD_RETRIES, settings.telegram_messages_per_second))
    )
    if settings.telegram_base_url:
        url = settings.telegram_base_url.rstrip("/")
        builder = builder.base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    proxy = settings.proxy_url.get_secret_value() if settings.proxy_url else None
    try:
        fetching = Fetching(build_request(1, HTTP_SECONDS, proxy), inbox.record)
        builder = builder.request(build_request(CONNECTIONS, HTTP_SECONDS, proxy)).get_updates_request(fetching)
        application = builder.build()
    except RuntimeError as error:  # The library says so only in words of its own; the cause names the package.
        if settings.proxy_url and isinstance(error.__cause__, ImportError):
            raise SettingsError("PROXY_URL: a socks5 proxy needs one more package: pip install socksio") from None
        raise
    fetching.bot = application.bot
    return application
