"""Photos and documents: sent, shown, named and downloaded."""

import struct
from typing import Any

import aiohttp
import pytest

from bot.offline.errors import BadRequestError
from bot.offline.files import Picture, read_picture
from tests.offline.caller import Caller


async def send_file(caller: Caller, method: str, name: str, data: bytes, filename: str, **more: str) -> Any:
    form = aiohttp.FormData({"chat_id": "1", **more}, quote_fields=False)
    form.add_field(name, data, filename=filename)
    async with caller.session.post(f"{caller.server.base_url}1:offline/{method}", data=form) as answer:
        return await answer.json()


@pytest.fixture
async def chat(caller: Caller) -> Caller:
    await caller.say("Hi")
    return caller


async def test_a_photo_is_kept_with_its_size_and_caption(chat: Caller, picture: bytes) -> None:
    answer = await send_file(chat, "sendPhoto", "photo", picture, "a.png", caption="<b>Blue</b>", parse_mode="HTML")
    message = answer["result"]
    assert message["caption"] == "Blue"
    assert message["caption_entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    photo = message["photo"][0]
    assert (photo["width"], photo["height"], photo["file_size"]) == (160, 100, len(picture))
    assert (await chat.messages())[-1]["text"] == "Blue"


async def test_a_file_is_downloaded_from_where_get_file_says(chat: Caller, picture: bytes) -> None:
    sent = (await send_file(chat, "sendPhoto", "photo", picture, "a.png"))["result"]
    named = await chat.result("getFile", file_id=sent["photo"][0]["file_id"])
    for token in ("1:offline", "1%3Aoffline"):
        async with chat.session.get(f"{chat.server.base_file_url}{token}/{named['file_path']}") as answer:
            assert await answer.read() == picture


@pytest.mark.parametrize(("token", "path", "code"), [("1:wrong", "x", 401), ("1:offline", "photos/no.png", 404)])
async def test_files_are_not_given_to_everybody(chat: Caller, token: str, path: str, code: int) -> None:
    async with chat.session.get(f"{chat.server.base_file_url}{token}/{path}") as answer:
        assert answer.status == code
        assert (await answer.json())["error_code"] == code


async def test_a_file_is_sent_again_by_its_id(chat: Caller) -> None:
    sent = (await send_file(chat, "sendDocument", "document", b"words", "essay.txt"))["result"]
    again = await chat.result("sendDocument", chat_id=1, document=sent["document"]["file_id"])
    assert again["document"]["file_name"] == "essay.txt"
    assert again["message_id"] != sent["message_id"]


async def test_a_file_can_be_attached_under_another_name(chat: Caller) -> None:
    answer = await send_file(chat, "sendDocument", "blob", b"words", "essay.txt", document="attach://blob")
    assert answer["result"]["document"]["file_size"] == 5


async def test_a_file_name_is_only_a_name(chat: Caller) -> None:
    answer = await send_file(chat, "sendDocument", "document", b"words", "../../etc/passwd")
    assert answer["result"]["document"]["file_name"] == "passwd"


@pytest.mark.parametrize(
    ("method", "data", "more", "refusal"),
    [
        ("sendPhoto", b"not a picture", {}, "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", b"\x89PNG\r\n\x1a\n", {}, "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", b"", {}, "file must be non-empty"),
        ("sendPhoto", b"x", {"caption": "a" * 1025}, "message caption is too long"),
        ("sendPhoto", b"x", {"chat_id": "99"}, "chat not found"),
    ],
)
async def test_a_bad_photo_is_refused(
    chat: Caller, method: str, data: bytes, more: dict[str, str], refusal: str
) -> None:
    answer = await send_file(chat, method, "photo", data, "a.png", **more)
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {refusal}")


async def test_files_that_are_not_there_are_refused(chat: Caller) -> None:
    assert await chat.refusal("sendPhoto", chat_id=1) == "Bad Request: there is no photo in the request"
    wrong = "Bad Request: wrong file identifier/HTTP URL specified"
    assert await chat.refusal("sendPhoto", chat_id=1, photo="nonsense") == wrong
    assert await chat.refusal("getFile", file_id="nonsense") == wrong
    elsewhere = await chat.refusal("sendPhoto", chat_id=1, photo="https://example.org/a.png")
    assert elsewhere == "Bad Request: failed to get HTTP URL content"


def test_sizes_are_read_from_each_format() -> None:
    jpeg = (
        b"\xff\xd8" + b"\xff\xe0" + struct.pack(">H", 4) + b"ab" + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 30, 40)
    )
    assert read_picture(jpeg) == Picture("image/jpeg", 40, 30)
    assert read_picture(b"GIF89a" + struct.pack("<HH", 12, 34)) == Picture("image/gif", 12, 34)
    with pytest.raises(BadRequestError):
        read_picture(jpeg[:8])


async def test_a_caption_can_be_edited_but_a_photo_has_no_text(chat: Caller, picture: bytes) -> None:
    sent = (await send_file(chat, "sendPhoto", "photo", picture, "a.png", caption="Blue"))["result"]
    which = {"chat_id": 1, "message_id": sent["message_id"]}
    assert (await chat.result("editMessageCaption", **which, caption="Red"))["caption"] == "Red"
    refusal = await chat.refusal("editMessageText", **which, text="Red")
    assert refusal == "Bad Request: there is no text in the message to edit"


async def test_the_page_shows_pictures_in_place_and_nothing_else(chat: Caller, picture: bytes) -> None:
    photo = (await send_file(chat, "sendPhoto", "photo", picture, "a.png"))["result"]["photo"][0]
    page = (await send_file(chat, "sendDocument", "document", b"<script>", "a.html"))["result"]["document"]
    async with chat.session.get(f"{chat.server.url}/people/files/{photo['file_id']}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    async with chat.session.get(f"{chat.server.url}/people/files/{page['file_id']}") as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with chat.session.get(f"{chat.server.url}/people/files/nonsense") as answer:
        assert answer.status == 404
