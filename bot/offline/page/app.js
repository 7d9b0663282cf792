// Puts the page together: what happens on the server goes to the views, what people do goes to the server.

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { alert, askGroup, askPerson, notice, showPicture } from "./dialogs.js";
import { InlineOffer } from "./inline.js";
import { get, listen, post } from "./server.js";
import { Sidebar } from "./sidebar.js";
import { State } from "./state.js";

const WIDE = matchMedia("(min-width: 720px)");
const PRESS_SECONDS = 15;

class App {
  constructor() {
    this.state = new State();
    this.root = document.querySelector("#app");
    this.sidebar = new Sidebar(this.state);
    this.offer = new InlineOffer({
      botName: () => this.state.bot.username ?? "",
      onAsk: (query) => this.ask(query),
      onChoose: (query, result) => this.choose(query, result),
      onHint: () => { location.hash = `#${this.state.person}/${this.state.person}`; },
    });
    this.composer = new Composer({
      onSend: (text, replyTo) => this.send(text, replyTo),
      onEdit: (text, messageId) => this.edit(text, messageId),
      onTyped: (text) => this.offer.typed(text),
      commands: () => this.state.commands(),
    });
    this.conversation = new Conversation(this.state, {
      onReply: (message) => this.composer.answer(message),
      onEdit: (message) => this.composer.change(message),
      onReact: (message, emoji) => this.react(message, emoji),
      onPress: (message, button, node) => this.press(message, button, node),
      onCommand: (command) => this.send(command),
      onPicture: showPicture,
      onStart: () => this.send(this.state.chat < 0 ? "Hello!" : "/start"),
    });
    this.place = ""; // who looks at which chat, as the composer knows it
    this.pressed = new Map(); // callback query id -> the button that waits for its answer
    this.answered = new Set(); // callback query ids whose answer overtook the query itself
    this.#wire();
  }

  #wire() {
    addEventListener("hashchange", () => this.route());
    document.querySelector("#back").addEventListener("click", () => { location.hash = `#${this.state.person}`; });
    document.querySelector("#add-person").addEventListener("click", () => this.addPerson());
    document.querySelector("#add-group").addEventListener("click", () => this.addGroup());
    document.addEventListener("visibilitychange", () => this.#seen());
    listen((event) => this.#happened(event), (connected) => this.#connected(connected));
  }

  /** After every (re)connection everything is read anew: events may have been missed. */
  async #connected(connected) {
    this.sidebar.connection(connected);
    if (!connected) return;
    this.state.messages.clear();
    this.state.chats.clear();
    await this.refresh();
    this.route();
  }

  async refresh() {
    this.state.take(await get("state"));
    const moved = this.state.chats.get(this.state.chat)?.moved_to;
    if (moved) location.replace(`#${this.state.person}/${moved}`);
    this.sidebar.draw();
    this.conversation.drawHeader();
    this.conversation.drawWelcome();
    this.composer.offer();
  }

  /** The address tells who looks at what: #person or #person/chat. */
  async route() {
    const [person, chat] = location.hash.slice(1).split("/").map(Number);
    this.state.person = this.state.users.has(person) ? person : [...this.state.users.keys()][0] ?? 0;
    const known = this.state.chats.get(chat)?.members.includes(this.state.person);
    if (!known && WIDE.matches && this.state.chats.has(this.state.person)) {
      location.replace(`#${this.state.person}/${this.state.person}`);
      return;
    }
    this.state.chat = known ? chat : 0;
    this.root.dataset.view = known ? "chat" : "list";
    this.#seen();
    if (known) await this.openChat(chat);
  }

  async openChat(chatId) {
    const place = `${this.state.person}/${chatId}`;
    if (place !== this.place) this.composer.reset();
    this.place = place;
    if (!this.state.messages.has(chatId)) {
      this.state.messagesOf(chatId); // from here on events are kept, also those that overtake the answer
      const answer = await get("messages", { chat_id: chatId });
      answer.messages.forEach((message) => this.state.keep(message));
    }
    if (chatId !== this.state.chat) return;
    this.conversation.open();
    if (WIDE.matches) this.composer.text.focus();
  }

  async send(text, replyTo = null) {
    return this.#try(() => post("send", { user_id: this.state.person, chat_id: this.state.chat, text, reply_to: replyTo }));
  }

  async edit(text, messageId) {
    return this.#try(() => post("edit", { user_id: this.state.person, chat_id: this.state.chat, message_id: messageId, text }));
  }

  async ask(query) {
    const answer = await this.#try(() => post("inline", { user_id: this.state.person, query }));
    return answer?.inline_query_id ?? null;
  }

  async choose(query, result) {
    const choice = { inline_query_id: query, result_id: result, chat_id: this.state.chat };
    if (await this.#try(() => post("choose", choice))) this.composer.clear();
  }

  async react(message, emoji) {
    return this.#try(() => post("react", { user_id: this.state.person, chat_id: message.chat.id, message_id: message.message_id, emoji }));
  }

  async press(message, button, node) {
    node.classList.add("waiting");
    setTimeout(() => node.classList.remove("waiting"), PRESS_SECONDS * 1000);
    const press = { user_id: this.state.person, chat_id: message.chat.id, message_id: message.message_id, data: button.callback_data };
    const answer = await this.#try(() => post("press", press));
    if (answer && !this.answered.delete(answer.callback_query_id)) this.pressed.set(answer.callback_query_id, node);
    else node.classList.remove("waiting");
  }

  async addPerson() {
    const person = await askPerson();
    const answer = person && await this.#try(() => post("add", person));
    if (answer) await this.#go(`#${answer.user_id}/${answer.user_id}`);
  }

  async addGroup() {
    const group = await askGroup([...this.state.users.values()]);
    if (!group) return;
    const members = group.members.includes(this.state.person) ? group.members : [this.state.person, ...group.members];
    const answer = await this.#try(() => post("add", { ...group, members }));
    if (answer) await this.#go(`#${this.state.person}/${answer.chat_id}`);
  }

  async #go(hash) {
    await this.refresh();
    location.hash = hash;
  }

  async #try(action) {
    try {
      return await action();
    } catch (error) {
      notice(error.message);
      return null;
    }
  }

  #happened(event) {
    const here = event.chat_id === this.state.chat;
    switch (event.type) {
      case "message": return this.#message(event.message, here);
      case "edited": return this.#edited(event.message, here);
      case "deleted": return this.#deleted(event, here);
      case "read": return this.#read(event, here);
      case "action": return this.#action(event);
      case "draft": return this.#draft(event, here);
      case "callback_answer": return this.#answered(event.answer);
      case "inline_answer": return this.offer.answered(event);
      case "people":
      case "commands": return this.refresh();
    }
  }

  async #message(message, here) {
    if (!this.state.chats.has(message.chat.id)) await this.refresh();
    if (message.from_bot) {
      this.state.act(message.chat.id, "");
      this.state.draft(message.chat.id, null);
    }
    const known = this.state.messages.get(message.chat.id)?.has(message.message_id);
    this.state.keep(message);
    this.state.countUnread(message);
    if (here && !known) {
      if (message.from_bot) this.conversation.drawDraft();
      this.conversation.add(message);
      this.conversation.drawHeader();
    }
    this.sidebar.draw();
  }

  #edited(message, here) {
    this.state.keep(message);
    if (here) this.conversation.replace(message);
    this.sidebar.draw();
  }

  #deleted(event, here) {
    this.state.drop(event.chat_id, event.message_id);
    if (here) this.conversation.remove(event.message_id);
    this.sidebar.draw();
  }

  #read(event, here) {
    const chat = this.state.chats.get(event.chat_id);
    if (chat) chat.read_up_to = event.message_id;
    if (here && chat) this.conversation.markRead();
  }

  #action(event) {
    const draw = () => { this.sidebar.draw(); this.conversation.drawHeader(); };
    this.state.act(event.chat_id, event.action, event.seconds, draw);
    draw();
  }

  #draft(event, here) {
    const draw = () => { this.conversation.drawDraft(); this.conversation.drawHeader(); this.sidebar.draw(); };
    this.state.draft(event.chat_id, event.draft, draw);
    if (here) draw();
    else this.sidebar.draw();
  }

  #answered(answer) {
    this.pressed.get(answer.callback_query_id)?.classList.remove("waiting");
    if (!this.pressed.delete(answer.callback_query_id)) this.answered.add(answer.callback_query_id);
    if (answer.user_id !== this.state.person || !answer.text) return;
    if (answer.show_alert) alert(this.state.bot.first_name, answer.text);
    else notice(answer.text);
  }

  /** What is looked at is not unread. */
  #seen() {
    if (document.visibilityState === "visible") this.state.unread.delete(`${this.state.person}/${this.state.chat}`);
    this.sidebar.draw();
  }
}

new App();
