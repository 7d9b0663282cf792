// The people to write as, and the chats of the one who is chosen.

import { avatar, clock, day, element } from "./elements.js";

const ACTIONS = {
  typing: "typing", upload_photo: "sending a photo", upload_document: "sending a file", record_voice: "recording a voice message",
  upload_voice: "sending a voice message", record_video: "recording a video", upload_video: "sending a video", choose_sticker: "choosing a sticker",
};

/** What the bot does in a chat, with moving dots; null if nothing. */
export function activity(state, chat) {
  const action = state.actions.get(chat.id)?.action ?? (state.drafts.has(chat.id) ? "typing" : "");
  if (!action) return null;
  const doing = ACTIONS[action] ?? "typing";
  const text = chat.type === "private" ? doing : `${state.bot.first_name} is ${doing}`;
  return element("span", { class: "activity" }, text, element("span", { class: "dots", "aria-hidden": "true" }, ...["", "", ""].map(() => element("i"))));
}

export class Sidebar {
  constructor(state) {
    this.state = state;
    this.people = document.querySelector("#people");
    this.chats = document.querySelector("#chats");
    this.whose = document.querySelector("#whose");
  }

  draw() {
    const person = this.state.users.get(this.state.person);
    this.whose.textContent = person ? `as ${person.first_name}` : "";
    this.people.replaceChildren(...[...this.state.users.values()].map((user) => this.#person(user)));
    this.chats.replaceChildren(...this.state.chatsOf(this.state.person).map((chat) => this.#chat(chat)));
  }

  connection(connected) {
    document.querySelector("#connection").textContent = connected ? "Chats" : "Connecting…";
  }

  #person(user) {
    const unread = this.state.unreadOfPerson(user.id);
    const label = `Write as ${user.first_name}${unread ? `, ${unread} unread` : ""}`;
    return element("li", {},
      element("a", { href: `#${user.id}`, "aria-label": label, title: label, "aria-current": user.id === this.state.person ? "true" : undefined },
        avatar(user.id, user.first_name), element("span", { class: "name" }, user.first_name), badge(unread)));
  }

  #chat(chat) {
    const { person, chat: open } = this.state;
    const last = chat.last_message;
    const when = last && (day(last.date) === "Today" ? clock(last.date) : day(last.date));
    return element("li", {},
      element("a", { href: `#${person}/${chat.id}`, "aria-current": chat.id === open ? "true" : undefined },
        avatar(this.state.avatarId(chat), this.state.title(chat)),
        element("span", { class: "about" },
          element("span", { class: "top" }, element("strong", {}, this.state.title(chat)), last && element("time", {}, when)),
          element("span", { class: "top" }, element("span", { class: "preview" }, activity(this.state, chat) ?? this.#preview(last)),
            badge(this.state.unreadOf(person, chat.id))))));
  }

  #preview(last) {
    if (!last) return element("i", {}, "No messages yet");
    const who = this.state.isMine(last) ? "You" : last.chat.type === "private" ? "" : last.first_name;
    const what = last.text || (last.photo ? "Photo" : last.document?.file_name ?? "");
    return element("span", {}, who && element("b", {}, `${who}: `), what);
  }
}

function badge(count) {
  return count ? element("span", { class: "badge", "aria-label": `${count} unread` }, String(count)) : null;
}
