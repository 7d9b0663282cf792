// Message text with its entities, as DOM nodes. Offsets are UTF-16 units, as in JavaScript strings.

import { element } from "./elements.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span", hashtag: "span", mention: "span",
};
const SAFE_LINK = /^(https?|mailto|tel|tg):/i;

/** A fragment for a text. `onCommand(command)` is called when a reader clicks a bot command. */
export function richText(text, entities = [], onCommand = () => {}) {
  const ordered = [...entities].sort((one, two) => one.offset - two.offset || two.length - one.length);
  return range(text, ordered, 0, text.length, onCommand);
}

function range(text, entities, from, to, onCommand) {
  const fragment = document.createDocumentFragment();
  let at = from;
  let left = entities;
  while (left.length) {
    const [entity, ...later] = left;
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    left = later;
    if (end <= start) continue;
    const node = wrapper(entity, text.slice(start, end), onCommand);
    const inside = later.filter((other) => other.offset < end);
    (node.lastElementChild ?? node).append(range(text, inside, start, end, onCommand));
    fragment.append(text.slice(at, start), node);
    at = end;
    // What began inside but ends outside goes on after this one.
    left = later.filter((other) => other.offset + other.length > end);
  }
  fragment.append(text.slice(at, to));
  return fragment;
}

function wrapper(entity, covered, onCommand) {
  switch (entity.type) {
    case "pre":
      return element("pre", { "data-language": entity.language }, element("code"));
    case "spoiler":
      return spoiler();
    case "bot_command":
      return element("button", { class: "link", type: "button", onclick: () => onCommand(covered) });
    case "url":
      return link(/^[a-z]+:/i.test(covered) ? covered : `http://${covered}`);
    case "email":
      return link(`mailto:${covered}`);
    case "text_link":
      return link(entity.url);
    default:
      return element(TAGS[entity.type] ?? "span", { class: entity.type });
  }
}

function link(address) {
  if (!SAFE_LINK.test(address)) return element("span");
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" });
}

function spoiler() {
  const show = (event) => event.currentTarget.classList.add("shown");
  const onkeydown = (event) => event.key === "Enter" && show(event);
  return element("span", { class: "spoiler", role: "button", tabIndex: 0, title: "Show", onclick: show, onkeydown });
}
