"use strict";
// Keys, the time that is left, and pieces of pages put in place. Everything works without it.

const words = document.body.dataset;
const ahead = Number(words.now) - Date.now(); // the server's clock counts, not this one
const OFF = "egide-keys-off";
const FIELDS = "textarea, select, input:not([type=checkbox], [type=radio], [type=submit])";

// --- the time that is left ---------------------------------------------------------------------

function amount(milliseconds) {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  const [days, hours, minutes] = [86400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days}\u00a0${words.day} ${hours % 24}\u00a0${words.hour}`;
  if (hours) return `${hours}\u00a0${words.hour} ${String(minutes % 60).padStart(2, "0")}\u00a0${words.minute}`;
  return minutes ? `${minutes}\u00a0${words.minute}` : `${seconds}\u00a0${words.second}`;
}

function tick() {
  const now = Date.now() + ahead;
  for (const place of document.querySelectorAll("[data-due]")) {
    const left = Number(place.dataset.due) - now;
    const text = (left < 0 ? words.over : words.left).replace("{}", amount(left));
    if (place.textContent !== text) place.textContent = text;
    const clock = place.closest("[data-clock]");
    if (clock) clock.dataset.clock = left < 0 ? "over" : left < Number(words.urgent) ? "urgent" : left < Number(words.soon) ? "soon" : "calm";
  }
  for (const place of document.querySelectorAll("[data-until]")) {
    const over = Number(place.dataset.until) <= now;
    if (over && !place.hidden) setTimeout(afresh, 2500); // what took effect is to be seen
    place.hidden = over;
  }
  for (const place of document.querySelectorAll("[data-from]")) place.hidden = Number(place.dataset.from) > now;
}

function afresh() {
  if (!document.activeElement.matches(FIELDS)) location.reload();
}

// --- keys --------------------------------------------------------------------------------------

const help = document.getElementById("keys");
const seen = (element) => element.checkVisibility();
const rows = () => [...document.querySelectorAll("[data-row]")].filter(seen);

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!row) return;
  (row.matches("a, button, summary") ? row : row.querySelector("a, button, summary, input")).focus();
  row.scrollIntoView({ block: "nearest" });
}

function bound(key) {
  const own = document.activeElement.closest("[data-row]"); // the row's own before the page's first
  return [own, document].flatMap((place) => (place ? [...place.querySelectorAll("[data-key]")] : []))
    .find((element) => element.dataset.key === key && seen(element) && !element.disabled);
}

function act(element) {
  if (element.matches("details")) {
    element.open = true;
    element.querySelector("summary").focus();
  } else if (element.matches(FIELDS)) {
    element.focus();
    element.select?.();
  } else {
    element.focus();
    element.click();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return event.target.form?.requestSubmit();
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
  if (event.key === "Escape" && event.target.matches(FIELDS)) return event.target.blur();
  if (event.target.matches(FIELDS) || help?.open || localStorage.getItem(OFF)) return;
  const element = bound(event.key);
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "?") help?.showModal();
  else if (element) act(element);
  else return;
  event.preventDefault();
});

const off = document.getElementById("keys-off");
if (off) {
  off.checked = Boolean(localStorage.getItem(OFF));
  off.addEventListener("change", () => (off.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF)));
}
for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}

// --- forms -------------------------------------------------------------------------------------

function complain(text) {
  const place = document.getElementById("error");
  place.textContent = text;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

// The piece of the answer that the form names takes the place of the one that is there.
async function swap(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(form.dataset.swap);
  if (!answer.ok || !fresh) throw new Error(page.getElementById("error")?.textContent || `HTTP ${answer.status}`);
  document.getElementById(form.dataset.swap).replaceWith(document.adoptNode(fresh));
  fresh.focus();
  tick();
}

// An error does not bubble: it is caught on its way down.
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".look img")) complain(words.missing);
}, true);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.swap) return;
  event.preventDefault();
  swap(form, event.submitter).catch((error) => complain(error.message));
});

document.addEventListener("change", (event) => {
  const { all } = event.target.dataset;
  if (all !== undefined) {
    for (const box of document.querySelectorAll(`[data-of="${CSS.escape(all)}"]`)) box.checked = event.target.checked;
  }
  const reasons = event.target.closest("[data-reasons]");
  if (!reasons) return;
  const place = document.getElementById(reasons.dataset.reasons);
  // What somebody wrote is not overwritten; what reasons wrote is.
  if (place.value.trim() && place.value !== place.dataset.filled) return;
  const chosen = [...reasons.querySelectorAll("[data-text]:checked")].map((box) => box.dataset.text);
  place.value = place.dataset.filled = chosen.join("\n");
});

document.addEventListener("click", (event) => {
  const aside = event.target.closest("[data-dismiss]")?.closest("aside");
  if (!aside) return;
  sessionStorage.setItem(aside.id, aside.dataset.count);
  aside.remove();
});
for (const aside of document.querySelectorAll("aside[data-count]")) {
  if (sessionStorage.getItem(aside.id) === aside.dataset.count) aside.remove();
}

// A page that comes back out of the browser's memory would show again what was masked.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

tick();
setInterval(tick, 1000);
