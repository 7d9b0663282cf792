"""Bot API methods by which the bot gets its updates: long polling or a webhook."""

from bot.offline.arguments import Arguments
from bot.offline.errors import ApiError
from bot.offline.updates import TAKEN_OVER_BY_WEBHOOK
from bot.offline.webhook import Webhook, WebhookDelivery, checked_secret, checked_url
from bot.offline.world import Json, World

WEBHOOK_IS_SET = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
MAX_UPDATES = 100
MAX_POLL_SECONDS = 50


class UpdateDelivery:
    """getUpdates and the webhook exclude each other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.webhook = WebhookDelivery(world.updates)

    async def get_updates(self, world: World, args: Arguments) -> list[Json]:
        if self.webhook.webhook:
            raise ApiError(409, WEBHOOK_IS_SET)
        self._allow(args)
        limit = min(max(args.integer("limit", MAX_UPDATES), 1), MAX_UPDATES)
        timeout = min(max(args.integer("timeout"), 0), MAX_POLL_SECONDS)
        return await world.updates.poll(args.integer("offset"), limit, timeout)

    async def set_webhook(self, world: World, args: Arguments) -> bool:
        if not args.text("url"):
            return await self.delete_webhook(world, args)
        url, secret = checked_url(args.text("url")), checked_secret(args.text("secret_token"))
        self._allow(args)
        self._drop_pending(args)
        world.updates.interrupt(TAKEN_OVER_BY_WEBHOOK)
        connections = min(max(args.integer("max_connections", 40), 1), 100)
        await self.webhook.set(Webhook(url, secret, connections))
        return True

    async def delete_webhook(self, world: World, args: Arguments) -> bool:
        await self.webhook.set(None)
        self._drop_pending(args)
        return True

    async def get_webhook_info(self, world: World, args: Arguments) -> Json:
        return self.webhook.as_json()

    def _allow(self, args: Arguments) -> None:
        kinds = args.json("allowed_updates", list)
        if kinds is not None:
            self._world.updates.allow(str(kind) for kind in kinds)

    def _drop_pending(self, args: Arguments) -> None:
        if args.flag("drop_pending_updates"):
            self._world.updates.clear()
