// Chooses pictures and videos and puts their fingerprints into the form; the files stay here.

import { LEAST_QUALITY, Unreadable, viewsOfPicture, viewsOfVideo } from "./pdq.js";

const ORIENTATIONS = 8; // hashes of one view

const filled = (words, ...values) => words.replace(/#(\d)/g, (_, number) => values[number - 1] ?? "");

export function prepare(place) {
  const words = place.dataset;
  const most = Number(words.most);
  const field = document.getElementById("fingerprints");
  const [input, status, progress, complaint, list] = ["input", "[data-status]", "[data-progress]", "[data-complaint]", "[data-list]"]
    .map((selector) => place.querySelector(selector));
  const files = field.value.split(";").filter(Boolean);
  let pictures = 0;
  let working = Promise.resolve();
  const names = files.map(() => filled(words.pictureName, ++pictures));
  place.hidden = false;
  for (const told of document.querySelectorAll("[data-without]")) told.hidden = true;

  const room = () => most - files.reduce((sum, file) => sum + file.split(",").length, 0);

  function keep() {
    field.value = files.join(";");
    list.replaceChildren(...files.map((_, number) => {
      const item = document.createElement("li");
      const button = Object.assign(document.createElement("button"), {
        type: "button", className: "link", textContent: filled(words.remove, names[number]),
      });
      button.addEventListener("click", () => {
        status.textContent = filled(words.removed, names[number]);
        files.splice(number, 1);
        names.splice(number, 1);
        keep();
        input.focus();
      });
      item.append(filled(words.ready, names[number]), button);
      return item;
    }));
  }

  async function take(file, number, count) {
    const tell = (share) => {
      progress.value = share;
      status.textContent = filled(words.working, number, count, Math.round(share * 10) * 10);
    };
    tell(0);
    const isVideo = file.type.startsWith("video/");
    const views = await (isVideo
      ? viewsOfVideo(file, Math.floor(room() / ORIENTATIONS / 2), tell) : viewsOfPicture(file, tell));
    const usable = views.filter((view) => view.quality >= LEAST_QUALITY);
    const hashes = [...new Set(usable.flatMap((view) => view.hashes))].slice(0, room());
    if (!usable.length) throw new Unreadable("plain");
    files.push(hashes.join(","));
    names.push(filled(isVideo ? words.videoName : words.pictureName, ++pictures));
  }

  async function takeAll(chosen) {
    const complaints = [];
    complaint.hidden = true;
    progress.hidden = false;
    for (const [place_, file] of chosen.entries()) {
      try {
        if (room() < 2 * ORIENTATIONS) throw new Unreadable("full");
        await take(file, place_ + 1, chosen.length);
      } catch (error) {
        complaints.push(filled(words.file, place_ + 1, words[error.message] ?? words.unreadable));
        complaint.textContent = complaints.join(" ");
        complaint.hidden = false;
      }
      keep();
    }
    progress.hidden = true;
    status.textContent = files.length ? filled(words.ready, names.join(", ")) : "";
  }

  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
    // One choice after the other, and the form waits for all of them.
    working = working.then(() => takeAll(chosen));
  });
  field.form.addEventListener("submit", (event) => {
    if (progress.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    working.then(() => field.form.requestSubmit(event.submitter));
  });
  keep();
}
