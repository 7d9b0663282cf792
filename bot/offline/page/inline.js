// Inline mode: who types the bot's name and a question is offered answers; a click sends one.

import { element } from "./elements.js";

const PAUSE = 300; // milliseconds without a key until the bot is asked

export class InlineOffer {
  /**
   * `botName()` is what calls the bot; `onAsk(query)` gives the number of the query, or null;
   * `onChoose(query, result)` sends an offer and says whether it could; `onHint()` is for a line that leads to the bot.
   */
  constructor({ botName, onAsk, onChoose, onHint }) {
    Object.assign(this, { botName, onAsk, onChoose, onHint });
    this.list = document.querySelector("#offers");
    this.asked = ""; // what the bot was asked last
    this.query = null; // the number of that question
    this.early = new Map(); // answers that overtook the numbers of their questions
  }

  /** What stands in the line where a person writes. */
  typed(text) {
    const [, name, words] = /^@(\w+)\s([^]*)$/.exec(text) ?? [];
    const question = name?.toLowerCase() === this.botName().toLowerCase() ? words : null;
    if (question === this.asked) return;
    clearTimeout(this.timer);
    this.asked = question;
    this.query = null;
    this.list.hidden = true;
    if (question !== null) this.timer = setTimeout(() => this.#ask(question), PAUSE);
  }

  /** The bot has answered a question, perhaps not the last one. */
  answered(answer) {
    if (answer.inline_query_id === this.query) this.#show(answer);
    else this.early.set(answer.inline_query_id, answer);
  }

  async #ask(question) {
    const query = await this.onAsk(question);
    if (this.asked !== question) return;
    this.query = query;
    const answer = this.early.get(query);
    this.early.clear();
    if (answer) this.#show(answer);
  }

  #show({ results, button }) {
    const hint = button && element("li", {}, element("button", { type: "button", class: "hint", onclick: () => this.onHint() }, button.text));
    this.list.replaceChildren(...[hint, ...results.map((result) => this.#result(result))].filter(Boolean));
    this.list.hidden = this.list.childElementCount === 0;
  }

  #result(result) {
    const onclick = () => this.onChoose(this.query, result.id);
    return element("li", {}, element("button", { type: "button", onclick },
      element("b", {}, result.title), element("span", {}, result.description ?? "")));
  }
}
