"use strict";
// Sorting and filtering of the list of clips. A clip is one tbody, so that its picture moves with it.
const list = document.getElementById("list");
const clips = [...list.tBodies];
const numeric = new Set(["number", "score", "margin", "threshold", "share"]);

function sortBy(button) {
  const key = button.dataset.key;
  const header = button.closest("th");
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  for (const other of list.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const value = numeric.has(key) ? (clip) => Number(clip.dataset[key]) : (clip) => clip.dataset[key];
  // What is no number comes first where the largest do.
  const compare = numeric.has(key) ? (a, b) => Number.isNaN(a) - Number.isNaN(b) || (a === b ? 0 : a - b) : (a, b) => a.localeCompare(b, "en", { numeric: true });
  clips.sort((a, b) => (ascending ? 1 : -1) * compare(value(a), value(b)) || a.dataset.number - b.dataset.number);
  list.append(...clips);
}

for (const button of list.querySelectorAll("button[data-key]")) button.addEventListener("click", () => sortBy(button));

const filter = document.getElementById("filter");
function show() {
  let shown = 0;
  for (const clip of clips) {
    clip.hidden = filter.value !== "" && clip.dataset.outcome !== filter.value;
    shown += !clip.hidden;
  }
  document.getElementById("count").textContent = `${shown} of ${clips.length} ${list.dataset.what}`;
}
filter.addEventListener("change", show);
show();

// One sound at a time.
document.addEventListener("play", (event) => {
  for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
}, true);
