"""The server: puts the world, the Bot API, the people's side and the page behind one address on this machine."""

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.offline.bot_api import BotApi
from bot.offline.botfather import BotFather
from bot.offline.cast import introduce
from bot.offline.delivery import UpdateDelivery
from bot.offline.faults import Faults
from bot.offline.inline import Inline
from bot.offline.migration import Migration
from bot.offline.people import People
from bot.offline.profile import BotProfile
from bot.offline.world import World

HOST = "127.0.0.1"
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
PAGE = Path(__file__).parent / "page"
MAX_REQUEST_BYTES = 50 * 1024 * 1024
SHUTDOWN_SECONDS = 0.5
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class OfflineTelegram:
    """A Telegram of its own for one bot: the Bot API and a chat page, on 127.0.0.1 and nowhere else.

    With `port` 0 the system chooses one at the first start. What was said stays while the object lives: stopped and
    started again, it is the same Telegram at the same address, after an outage.
    """

    def __init__(
        self,
        token: str = "1:offline",
        port: int = 0,
        bot_name: str = "Lisa Simpson",
        bot_username: str = "understudy_bot",
    ) -> None:
        self.world = World(BotProfile(token, bot_name, bot_username))
        introduce(self.world)
        self.faults = Faults()
        self._port = port
        self._delivery = UpdateDelivery(self.world)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page's address, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def base_url(self) -> str:
        """What a client puts before the token and the method."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        """What a client puts before the token and a file's path."""
        return f"{self.url}/file/bot"

    async def start(self) -> None:
        """Begins to listen. Raises OSError if the port is taken."""
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, HOST, self._port)
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._port = self._runner.addresses[0][1]
        self._delivery.webhook.start()

    async def stop(self) -> None:
        """Ends every connection. Does nothing if it is not running."""
        if self._runner:
            await self._delivery.webhook.stop()
            self.world.updates.release()
            self.world.feed.close()
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[_only_this_machine, _safe_headers], client_max_size=MAX_REQUEST_BYTES)
        app.add_routes(BotApi(self.world, self.faults, self._delivery).routes())
        app.add_routes(People(self.world, self.faults).routes())
        for more in (BotFather(self.world), Migration(self.world), Inline(self.world)):
            app.add_routes(more.routes())
        app.add_routes([web.get("/", _page), web.static("/page", PAGE)])
        return app


async def _page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / "index.html")


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what a foreign web page sends here: by its own name (Origin), by a name it made up (Host), or without a
    name, as an image's address is (then the browser tells by Sec-Fetch-Site). A foreign link to the page is let in."""
    origin = request.headers.get("Origin")
    host = request.host.partition(":")[0]
    own = request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"} or _is_visit(request)
    if host not in LOCAL_NAMES or origin not in {None, f"http://{request.host}"} or not own:
        raise web.HTTPForbidden(text="This server answers its own machine only.\n")
    return await handler(request)


def _is_visit(request: web.Request) -> bool:
    mode, target = (request.headers.get(f"Sec-Fetch-{name}") for name in ("Mode", "Dest"))
    return (request.path, mode, target) == ("/", "navigate", "document")


@web.middleware
async def _safe_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(SAFE_HEADERS)
    return response
