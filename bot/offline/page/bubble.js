// One message as a bubble.

import { avatar, byteSize, clock, colour, element, icon } from "./elements.js";
import { richText } from "./rich_text.js";

/**
 * The list item of a message.
 * `view` tells how it is seen: { mine, read, inGroup } and what can be done: { onReply, onReact, onEdit, onPress, onCommand, onPicture, onJump }.
 */
export function bubble(message, view) {
  const named = view.inGroup && !view.mine;
  const item = element("li", {
    class: `message ${view.mine ? "mine" : "theirs"}${message.photo ? " with-photo" : ""}`,
    "data-id": message.message_id,
    "data-sender": message.from_bot ? "bot" : message.user_id,
    "data-date": message.date,
  });
  const body = element("div", { class: "bubble", ondblclick: () => view.onReply(message) },
    named && element("p", { class: `sender name-${colour(message.user_id)}` }, message.first_name),
    message.via_bot && element("p", { class: "via" }, `via @${message.via_bot.username}`),
    message.reply_to_message && quote(message.reply_to_message, view),
    message.photo && photo(message, view),
    message.document && file(message.document),
    words(message, view));
  const column = element("div", { class: "column" }, body, keyboard(message, view));
  item.append(...(named ? [avatar(message.user_id, message.first_name, "small")] : []), column, replyButton(message, view));
  if (message.from_bot) item.append(likeButton(message, view));
  if (view.mine && message.text) item.append(editButton(message, view));
  return item;
}

/** The bubble of a message that the bot is still writing. */
export function draftBubble(draft) {
  const text = draft.text ? richText(draft.text, draft.entities) : element("span", { class: "thinking" }, "Thinking…");
  const body = element("div", { class: "bubble" }, element("div", { class: "words" }, text, element("span", { class: "caret", "aria-hidden": "true" })));
  return element("li", { class: "message theirs draft first last", "aria-live": "off" }, element("div", { class: "column" }, body));
}

function words(message, view) {
  const entities = message.entities ?? message.caption_entities ?? [];
  return element("div", { class: "words" },
    element("span", { class: "text", dir: "auto" }, richText(message.text, entities, view.onCommand)),
    message.reactions?.length > 0 && element("span", { class: "reactions", "aria-label": "Reactions" }, message.reactions.join(" ")),
    meta(message, view));
}

function meta(message, view) {
  const time = element("time", { dateTime: new Date(message.date * 1000).toISOString() }, clock(message.date));
  const ticks = view.mine && element("span", { class: "ticks" }, icon(view.read ? "ticks" : "tick"),
    element("span", { class: "unseen" }, view.read ? "Delivered" : "Sent"));
  return element("span", { class: "meta" }, message.edit_date ? element("i", {}, "edited ") : null, time, ticks);
}

function quote(original, view) {
  const text = original.text ?? original.caption ?? (original.photo ? "Photo" : "File");
  return element("button", { class: `quote name-${colour(original.from.id)}`, type: "button", onclick: () => view.onJump(original.message_id) },
    element("strong", {}, original.from.first_name), element("span", {}, text));
}

function photo(message, view) {
  const size = message.photo[message.photo.length - 1];
  const address = `/people/files/${size.file_id}`;
  const image = element("img", { src: address, width: size.width, height: size.height, alt: message.text || "Photo", loading: "lazy" });
  return element("button", { class: "photo", type: "button", "aria-label": "Open the photo", onclick: () => view.onPicture(address, image.alt) }, image);
}

function file(document) {
  return element("a", { class: "file", href: `/people/files/${document.file_id}`, download: document.file_name },
    element("span", { class: "file-icon" }, icon("download")),
    element("span", {}, element("strong", {}, document.file_name), element("small", {}, byteSize(document.file_size))));
}

function keyboard(message, view) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return element("div", { class: "keyboard" }, ...rows.map((row) =>
    element("div", {}, ...row.map((button) => inlineButton(button, message, view)))));
}

function inlineButton(button, message, view) {
  if (button.url) {
    return element("a", { href: button.url, target: "_blank", rel: "noopener noreferrer" }, button.text, icon("open"));
  }
  const onclick = (event) => view.onPress(message, button, event.currentTarget);
  return element("button", { type: "button", onclick, disabled: button.callback_data === undefined }, button.text);
}

function replyButton(message, view) {
  const onclick = () => view.onReply(message);
  return element("button", { class: "reply", type: "button", "aria-label": "Reply", title: "Reply", onclick }, icon("reply"));
}

function likeButton(message, view) {
  const onclick = () => view.onReact(message, "👍");
  return element("button", { class: "reply", type: "button", "aria-label": "React with 👍", title: "React with 👍", onclick }, "👍");
}

function editButton(message, view) {
  const onclick = () => view.onEdit(message);
  return element("button", { class: "reply", type: "button", "aria-label": "Edit", title: "Edit", onclick }, icon("edit"));
}
