// What the public pages do beyond what works without scripts: leaving at once, questions that take
// each other's place, times on the reader's clock. What was typed is never stored on the device.

const SHIFTS = 3; // presses of the key that leave
const SHIFT_TIME = 5000; // milliseconds within which they come

const filled = (words, ...values) => words.replace(/#(\d)/g, (_, number) => values[number - 1] ?? "");

// ── away ────────────────────────────────────────────────────────────────────────────────────

function leave(link) {
  const { href } = link;
  document.title = "…";
  document.documentElement.classList.add("away");
  // This page's place in the history becomes that of the neutral one.
  location.replace(href);
}

let shifts = 0;
let timer = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-exit]");
  if (!link) return;
  event.preventDefault();
  leave(link);
});

document.addEventListener("keyup", (event) => {
  const link = document.querySelector("[data-exit]");
  const typing = event.key !== "Shift" || event.ctrlKey || event.altKey || event.metaKey;
  clearTimeout(timer);
  shifts = typing || !link ? 0 : shifts + 1;
  if (!shifts) return;
  const status = document.querySelector("[data-exit-status]");
  if (shifts >= SHIFTS) {
    status.textContent = link.dataset.left;
    leave(link);
    return;
  }
  status.textContent = filled(link.dataset.press, SHIFTS - shifts);
  timer = setTimeout(() => { shifts = 0; status.textContent = ""; }, SHIFT_TIME);
});

// A page that comes back from the browser's memory shows nothing of what was typed.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// ── questions in place ──────────────────────────────────────────────────────────────────────

// Sends a form and shows the answer in this page. So the questions leave one entry in the history,
// not one each with all answers in it, and the browser's own button goes back by a question.
async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.set(button.name, button.value);
  const buttons = form.querySelectorAll("button");
  buttons.forEach((each) => { each.disabled = true; });
  let text = "";
  try {
    text = await (await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body })).text();
  } catch {
    buttons.forEach((each) => { each.disabled = false; });
    return false;
  }
  show(new DOMParser().parseFromString(text, "text/html"));
  return true;
}

const stepOf = (document_) => document_.querySelector('#form[action="/notice"] [name="step"]')?.value ?? "";

function show(page) {
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  prepare();
  window.scrollTo(0, 0);
  (document.querySelector("[data-errors]") ?? document.querySelector("h1")).focus({ preventScroll: true });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-in-place]")) return;
  event.preventDefault();
  const before = stepOf(document);
  if (!await send(form, event.submitter)) {
    form.submit.call(withButton(form, event.submitter)); // the line is down: as without scripts
    return;
  }
  const after = stepOf(document);
  if (after && after !== before) history.pushState({ step: after }, "");
});

// A link within the page leads to its field, and makes no entry in the history.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.('a[href^="#"]')?.hash;
  const place = target && document.getElementById(target.slice(1));
  if (!place) return;
  event.preventDefault();
  place.focus({ preventScroll: true });
  (place.closest(".field") ?? place).scrollIntoView();
});

function withButton(form, button) {
  if (button?.name) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value });
    form.append(field);
  }
  return form;
}

window.addEventListener("popstate", (event) => {
  const form = document.querySelector('#form[action="/notice"]');
  if (!form) return; // a case number that is shown once stays
  const step = event.state?.step;
  // Entries of the history outlive a reload, which has emptied the form.
  if (!step || stepOf(document) === "start") location.reload();
  else send(form, { name: "go", value: `open:${step}` });
});

// ── each page ───────────────────────────────────────────────────────────────────────────────

function onOwnClock() {
  for (const place of document.querySelectorAll("[data-local]")) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "full", timeStyle: "short" });
    const at = new Date(place.dataset.local);
    if (at.getTimezoneOffset() !== 0) place.textContent = filled(place.dataset.words, format.format(at));
  }
}

function takeCode() {
  const field = document.querySelector("[data-code]");
  const code = location.hash.slice(1);
  if (!field || !code) return;
  field.value = code;
  history.replaceState(history.state, "", location.pathname + location.search); // out of the history
}

async function prepare() {
  onOwnClock();
  takeCode();
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  const place = document.querySelector("[data-picture]");
  if (place) (await import("./picture.js")).prepare(place);
}

const errors = document.querySelector("[data-errors]");
prepare();
if (errors) errors.focus();
