// What the page knows: people, chats, messages; who is looking, and at which chat.

const DRAFT_SECONDS = 30;

export class State {
  constructor() {
    this.bot = { id: 0, first_name: "" };
    this.awake = false; // whether the bot has asked for updates yet
    this.users = new Map();
    this.chats = new Map();
    this.messages = new Map(); // chat id -> Map(message id -> message)
    this.actions = new Map(); // chat id -> { action, timer }
    this.drafts = new Map(); // chat id -> { draft, timer }
    this.unread = new Map(); // "person/chat" -> count
    this.person = 0;
    this.chat = 0;
  }

  /** Takes over an answer of /people/state. */
  take(answer) {
    this.bot = answer.bot;
    this.awake = answer.awake;
    this.users = new Map(answer.users.map((user) => [user.id, user]));
    const before = this.chats;
    this.chats = new Map(answer.chats.map((chat) => [chat.id, chat]));
    // A message may have come while the answer was on its way.
    for (const chat of before.values()) if (chat.last_message) this.keep(chat.last_message);
  }

  /** The chats that a person sees, the latest first. */
  chatsOf(person) {
    const latest = (chat) => chat.last_message?.date ?? 0;
    const own = [...this.chats.values()].filter((chat) => !chat.moved_to && chat.members.includes(person));
    return own.sort((one, two) => latest(two) - latest(one) || two.id - one.id);
  }

  /** A person's private chat is called after the bot, a group has its own title. */
  title(chat) {
    return chat.type === "private" ? this.bot.first_name : chat.title;
  }

  avatarId(chat) {
    return chat.type === "private" ? this.bot.id : chat.id;
  }

  /** Whether this person wrote the message; the bot may have anybody's number. */
  isMine(message, person = this.person) {
    return !message.from_bot && message.user_id === person;
  }

  commands() {
    return this.chats.get(this.chat)?.commands[this.person] ?? [];
  }

  messagesOf(chatId) {
    if (!this.messages.has(chatId)) this.messages.set(chatId, new Map());
    return this.messages.get(chatId);
  }

  /** The messages of a chat in order, as far as they have been read. */
  history(chatId) {
    return [...this.messagesOf(chatId).values()].sort((one, two) => one.message_id - two.message_id);
  }

  /** Remembers a message; of chats that nobody has opened, the last one only. */
  keep(message) {
    const chat = this.chats.get(message.chat.id);
    this.messages.get(message.chat.id)?.set(message.message_id, message);
    if (chat && message.message_id >= (chat.last_message?.message_id ?? 0)) chat.last_message = message;
  }

  drop(chatId, messageId) {
    const chat = this.chats.get(chatId);
    this.messages.get(chatId)?.delete(messageId);
    if (chat?.last_message?.message_id === messageId) chat.last_message = this.messages.get(chatId) ? this.history(chatId).at(-1) ?? null : null;
  }

  /** Counts a message as unread for every member but its sender and whoever looks at it. */
  countUnread(message) {
    const chatId = message.chat.id;
    for (const person of this.chats.get(chatId)?.members ?? []) {
      const looking = person === this.person && chatId === this.chat && document.visibilityState === "visible";
      if (looking || this.isMine(message, person)) continue;
      const key = `${person}/${chatId}`;
      this.unread.set(key, (this.unread.get(key) ?? 0) + 1);
    }
  }

  unreadOf(person, chatId) {
    return this.unread.get(`${person}/${chatId}`) ?? 0;
  }

  unreadOfPerson(person) {
    return this.chatsOf(person).reduce((sum, chat) => sum + this.unreadOf(person, chat.id), 0);
  }

  /** Shows a chat action for its time; `onEnd` is called when it is over. */
  act(chatId, action, seconds, onEnd) {
    this.#hold(this.actions, chatId, action ? { action } : null, seconds, onEnd);
  }

  draft(chatId, draft, onEnd) {
    this.#hold(this.drafts, chatId, draft ? { draft } : null, DRAFT_SECONDS, onEnd);
  }

  #hold(held, chatId, entry, seconds, onEnd) {
    clearTimeout(held.get(chatId)?.timer);
    held.delete(chatId);
    if (!entry) return;
    entry.timer = setTimeout(() => { held.delete(chatId); onEnd(); }, seconds * 1000);
    held.set(chatId, entry);
  }
}
