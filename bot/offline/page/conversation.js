// The open chat: its messages, kept in step with what happens, and the scrolling.

import { avatar, colour, day, element, initials } from "./elements.js";
import { bubble, draftBubble } from "./bubble.js";
import { activity } from "./sidebar.js";

const NEAR_END = 90; // pixels from the end within which the page follows new messages
const TOGETHER = 300; // seconds within which messages of one sender stand together

export class Conversation {
  /** `actions`: onReply, onReact, onEdit, onPress, onCommand, onPicture, onStart. */
  constructor(state, actions) {
    this.state = state;
    this.actions = actions;
    this.list = document.querySelector("#messages");
    this.scroller = document.querySelector("#scroller");
    this.welcome = document.querySelector("#welcome");
    this.toEnd = document.querySelector("#to-end");
    this.missed = 0;
    this.toEnd.addEventListener("click", () => this.scrollToEnd("smooth"));
    this.scroller.addEventListener("scroll", () => this.#scrolled());
    this.following = true; // whether the reader is at the end and wants to see what comes
    const sizes = new ResizeObserver(() => this.#keepUp());
    sizes.observe(this.scroller);
    sizes.observe(this.list);
  }

  get chat() {
    return this.state.chats.get(this.state.chat);
  }

  /** Draws another chat, from its end. */
  open() {
    this.list.replaceChildren(...this.state.history(this.state.chat).map((message) => this.#bubble(message)));
    this.#arrange();
    this.drawHeader();
    this.drawDraft();
    this.scrollToEnd();
  }

  drawHeader() {
    const chat = this.chat;
    if (!chat) return;
    const title = this.state.title(chat);
    const picture = document.querySelector("#chat-avatar");
    picture.className = `avatar colour-${colour(this.state.avatarId(chat))}`;
    picture.textContent = initials(title);
    document.querySelector("#chat-title").textContent = title;
    const present = chat.type === "private" ? "bot" : `${chat.members.length + 1} members`;
    const status = this.state.awake ? present : "waiting for the bot to start";
    document.querySelector("#chat-status").replaceChildren(activity(this.state, chat) ?? status);
    document.title = `${title} · Offline Telegram`;
  }

  add(message) {
    const mine = this.state.isMine(message);
    const follow = this.following || mine;
    this.list.append(this.#bubble(message));
    this.#arrange();
    if (follow) this.scrollToEnd();
    else this.#miss();
  }

  replace(message) {
    this.#find(message.message_id)?.replaceWith(this.#bubble(message));
    this.#arrange();
    this.#keepUp();
  }

  remove(messageId) {
    this.#find(messageId)?.remove();
    this.#arrange();
  }

  /** Redraws own messages that the bot has taken meanwhile: one tick becomes two. */
  markRead() {
    for (const item of this.list.querySelectorAll(".mine")) {
      if (Number(item.dataset.id) > this.chat.read_up_to) continue;
      const use = item.querySelector(".ticks use");
      use?.setAttribute("href", "#icon-ticks");
      item.querySelector(".ticks .unseen").textContent = "Delivered";
    }
  }

  /** Shows the message that the bot is writing, growing in place. */
  drawDraft() {
    const held = this.state.drafts.get(this.state.chat);
    this.list.querySelector(".draft")?.remove();
    if (held) this.list.append(draftBubble(held.draft));
    this.#keepUp();
  }

  scrollToEnd(behavior = "instant") {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior });
    this.following = true;
    this.#showToEnd();
  }

  jump(messageId) {
    const item = this.#find(messageId);
    item?.scrollIntoView({ block: "center", behavior: "smooth" });
    item?.classList.remove("flash");
    requestAnimationFrame(() => item?.classList.add("flash"));
  }

  #find(messageId) {
    return this.list.querySelector(`[data-id="${messageId}"]`);
  }

  #bubble(message) {
    return bubble(message, {
      ...this.actions,
      mine: this.state.isMine(message),
      read: message.message_id <= this.chat.read_up_to,
      inGroup: this.chat.type !== "private",
      onJump: (messageId) => this.jump(messageId),
    });
  }

  /** Dates between days, tails on the last of each row, and the welcome while there is nothing. */
  #arrange() {
    this.list.querySelectorAll(".day").forEach((separator) => separator.remove());
    const items = [...this.list.querySelectorAll(".message:not(.draft)")];
    items.forEach((item, place) => {
      const before = items[place - 1];
      const newDay = !before || day(before.dataset.date) !== day(item.dataset.date);
      if (newDay) item.before(element("li", { class: "day" }, element("span", {}, day(item.dataset.date))));
      item.classList.toggle("first", newDay || !together(before, item));
      item.classList.toggle("last", !items[place + 1] || !together(item, items[place + 1]));
    });
    const draft = this.list.querySelector(".draft");
    if (draft) this.list.append(draft);
    this.drawWelcome();
  }

  drawWelcome() {
    this.welcome.hidden = this.list.querySelector(".message") !== null || !this.chat;
    if (this.welcome.hidden) return;
    const { bot } = this.state;
    const inGroup = this.chat.type !== "private";
    const title = this.state.title(this.chat);
    const text = inGroup ? `${bot.first_name} is in this group. Call @${bot.username}, or reply to a message.`
      : bot.description || `Say hello to ${bot.first_name}. The first message starts the conversation.`;
    this.welcome.replaceChildren(
      avatar(this.state.avatarId(this.chat), title, "large"),
      element("h3", {}, title),
      element("p", {}, text),
      element("button", { class: "primary", type: "button", onclick: this.actions.onStart }, inGroup ? "Say hello" : "Start"));
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.#showToEnd();
  }

  #showToEnd() {
    if (this.following) this.missed = 0;
    this.toEnd.hidden = this.following;
    const count = this.toEnd.querySelector(".badge");
    count.hidden = this.missed === 0;
    count.textContent = String(this.missed);
  }

  #miss() {
    this.missed += 1;
    this.#showToEnd();
  }

  #keepUp() {
    if (this.following) this.scrollToEnd();
  }
}

function together(one, two) {
  return one.dataset.sender === two.dataset.sender && two.dataset.date - one.dataset.date < TOGETHER;
}
