// The line where a person writes: text, replies, changes of earlier words, and the menu of the bot's commands.

import { element } from "./elements.js";

const TALLEST = 160;

export class Composer {
  /**
   * `onSend(text, replyTo)` sends and `onEdit(text, messageId)` changes a message; both say whether they could.
   * `commands()` gives the commands that this person has here; `onTyped(text)` is told what stands in the line.
   */
  constructor({ onSend, onEdit, onTyped, commands }) {
    this.onSend = onSend;
    this.onEdit = onEdit;
    this.onTyped = onTyped;
    this.commands = commands;
    this.replyTo = null;
    this.editing = null;
    this.form = document.querySelector("#composer");
    this.text = document.querySelector("#text");
    this.menu = document.querySelector("#menu");
    this.list = document.querySelector("#commands");
    this.reply = document.querySelector("#replying");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.menu.addEventListener("click", () => this.#toggle());
    this.list.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(true));
    document.querySelector("#stop-replying").addEventListener("click", () => this.answer(null));
    document.addEventListener("pointerdown", (event) => event.target.closest(".writing") || this.#close());
    this.#changed();
  }

  /** Another chat: its own commands, nothing half said. */
  reset() {
    this.#write("");
    this.answer(null);
    this.offer();
  }

  /** Shows the button of the menu only where there are commands. */
  offer() {
    this.menu.hidden = this.commands().length === 0;
    if (!this.list.hidden) this.#open(this.text.value);
  }

  /** The next message answers this one (or none). */
  answer(message) {
    if (this.editing) this.#write("");
    this.replyTo = message?.message_id ?? null;
    this.editing = null;
    this.#quote(message, message?.first_name);
  }

  /** What is written next takes the place of this message's words. */
  change(message) {
    this.replyTo = null;
    this.editing = message.message_id;
    this.#write(message.text);
    this.#quote(message, "Editing");
  }

  /** What was being written is said in another way. */
  clear() {
    this.#write("");
    this.text.focus();
  }

  #quote(message, title) {
    this.reply.hidden = !message;
    if (!message) return;
    this.reply.querySelector("strong").textContent = title;
    this.reply.querySelector("span").textContent = message.text || (message.photo ? "Photo" : "File");
    this.text.focus();
  }

  async send(text = this.text.value) {
    if (!text.trim()) return;
    const { replyTo, editing } = this;
    this.#write("");
    this.answer(null);
    const sent = await (editing ? this.onEdit(text, editing) : this.onSend(text, replyTo));
    if (!sent && !this.text.value) this.#write(text);
  }

  #write(text) {
    this.text.value = text;
    this.#changed();
  }

  #changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST)}px`;
    this.form.classList.toggle("empty", !this.text.value.trim());
    this.onTyped(this.text.value);
    if (/^\/\w*$/.test(this.text.value)) this.#open(this.text.value);
    else this.#close();
  }

  #toggle() {
    if (this.list.hidden) this.#open("/");
    else this.#close();
    this.text.focus();
  }

  #open(typed) {
    const prefix = typed.replace(/^\//, "").toLowerCase();
    const found = this.commands().filter((command) => command.command.startsWith(prefix));
    this.list.replaceChildren(...found.map((command, place) => this.#option(command, place === 0)));
    this.#show(found.length > 0);
  }

  #close(focus = false) {
    this.#show(false);
    if (focus) this.text.focus();
  }

  #show(open) {
    this.list.hidden = !open;
    this.menu.setAttribute("aria-expanded", String(open));
    this.text.setAttribute("aria-expanded", String(open));
    this.#point();
  }

  #option(command, first) {
    const onclick = () => this.send(`/${command.command}`);
    return element("li", { role: "option", id: `command-${command.command}`, "aria-selected": String(first), onclick },
      element("b", {}, `/${command.command}`), element("span", {}, command.description));
  }

  #chosen() {
    return this.list.hidden ? null : this.list.querySelector("[aria-selected=true]");
  }

  #point() {
    const chosen = this.#chosen();
    if (chosen) this.text.setAttribute("aria-activedescendant", chosen.id);
    else this.text.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  #move(step) {
    const options = [...this.list.children];
    const next = (options.indexOf(this.#chosen()) + step + options.length) % options.length;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === next)));
    this.#point();
  }

  #key(event) {
    if (event.isComposing) return;
    const chosen = this.#chosen();
    if (chosen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.#move(event.key === "ArrowDown" ? 1 : -1);
    } else if (chosen && event.key === "Tab") {
      event.preventDefault();
      this.#write(`${chosen.querySelector("b").textContent} `);
    } else if (event.key === "Escape") {
      if (chosen) this.#close();
      else this.answer(null);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send(chosen ? chosen.querySelector("b").textContent : this.text.value);
    }
  }
}
