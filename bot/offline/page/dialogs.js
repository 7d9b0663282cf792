// The windows in front: a new person, a new group, an alert, a photo; and the short notices.

import { element } from "./elements.js";

const NOTICE_SECONDS = 4;

/** Asks for a person; the entered fields, or null when it was called off. */
export function askPerson() {
  return ask(document.querySelector("#person-dialog"), (form) => Object.fromEntries(new FormData(form)));
}

/** Asks for a group among these users; its title and members, or null. */
export function askGroup(users) {
  const dialog = document.querySelector("#group-dialog");
  dialog.querySelector("#group-members").replaceChildren(...users.map((user) =>
    element("label", {}, element("input", { type: "checkbox", name: "members", value: String(user.id), defaultChecked: true }), ` ${user.first_name}`)));
  return ask(dialog, (form) => {
    const data = new FormData(form);
    return { title: data.get("title"), members: data.getAll("members").map(Number) };
  });
}

function ask(dialog, read) {
  const form = dialog.querySelector("form");
  form.reset();
  dialog.returnValue = "";
  dialog.showModal();
  form.querySelector("[value=cancel]").onclick = () => dialog.close("");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "add" ? read(form) : null), { once: true });
  });
}

/** A text that has to be confirmed, as an alert of the bot's. */
export function alert(title, text) {
  const dialog = document.querySelector("#alert");
  dialog.querySelector("#alert-heading").textContent = title;
  dialog.querySelector("#alert-text").textContent = text;
  dialog.showModal();
}

export function showPicture(address, description) {
  const dialog = document.querySelector("#picture");
  const image = dialog.querySelector("img");
  image.src = address;
  image.alt = description;
  dialog.showModal();
}

/** A notice that goes away by itself. */
export function notice(text) {
  const toast = document.querySelector("#toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(Number(toast.dataset.timer));
  toast.dataset.timer = String(setTimeout(() => { toast.hidden = true; }, NOTICE_SECONDS * 1000));
}
