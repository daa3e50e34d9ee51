// Asks the monitor each second for what is new and draws it. Everything from outside is set by textContent.
import { $, change, draw, figure, heard, hop, onClock, onDay } from "/charts.js";

const known = { run: "", points: 0, columns: 0, hours: 0, events: 0 };
let events = [];
let files = {}, filesText = "", silent = 0, lastAnswer = null, failures = 0;

const span = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : seconds < 172800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86400)} days`);

// ---- what the monitor says ----

function take(state) {
  const isAnew = state.about.run !== known.run;
  if (isAnew) {
    heard.points = []; heard.hours = []; events = []; heard.columns = [];
    known.run = state.about.run;
  }
  heard.about = state.about;
  heard.points.push(...state.points.new);
  heard.points.splice(0, Math.max(0, heard.points.length - (state.points.next - state.points.first)));
  heard.hours.push(...state.hours.new);
  heard.hours.splice(0, Math.max(0, heard.hours.length - 720));
  heard.hour = state.hour;
  takeColumns(state);
  for (const name of ["points", "columns", "hours", "events"]) known[name] = state[name].next;
  silent = state.silent_seconds;
  const isFirst = events.length === 0, news = state.events.new;
  events.push(...news);
  events.splice(0, Math.max(0, events.length - 200));
  const there = JSON.stringify(state.files);
  const filesChanged = there !== filesText;
  files = state.files; filesText = there;
  if (isAnew || news.length || filesChanged) list(news.length, filesChanged);
  if (news.length && !isFirst) $("news").textContent = news.map((event) => `${name(event)}: ${sentence(event)}`).join("; ").slice(0, 400);
}

function takeColumns(state) {
  const bytes = Uint8Array.from(atob(state.columns.new), (letter) => letter.charCodeAt(0));
  if (bytes.length) {
    if (state.n_bands !== heard.nBands) heard.columns = [];
    heard.nBands = state.n_bands;
    for (let at = 0; at < bytes.length; at += heard.nBands) heard.columns.push(bytes.subarray(at, at + heard.nBands));
  }
  heard.perSecond = state.columns_per_second || Math.max(1, heard.columns.length);
  heard.columns.splice(0, Math.max(0, heard.columns.length - (state.columns.next - state.columns.first)));
}

// ---- the state on top ----


function show() {
  const title = heard.about && heard.about.title ? heard.about.title : "Monitor";
  change($("title"), title);
  const lost = failures >= 3 || (failures > 0 && lastAnswer === null);
  document.body.classList.toggle("stale", lost);
  $("lost").hidden = !lost;
  change($("lost"), !lost ? "" : lastAnswer === null ? "The monitor does not answer." : `The monitor has not answered since ${onClock(lastAnswer)}: what stands below is old.`);
  const of = lost ? { kind: "unknown", verdict: "No answer", detail: "Is the monitor still running?" } : verdict();
  if ($("state").className !== of.kind) $("state").className = of.kind;
  change($("verdict"), of.verdict);
  change($("detail"), of.detail);
  change(document.querySelector("title"), `${of.verdict} · ${title}`);
}

function verdict() {
  const last = heard.points[heard.points.length - 1];
  const turn = events.findLast((event) => event.event === "alarm" || event.event === "clear");
  const isAlarm = turn !== undefined && turn.event === "alarm";
  const figures = last ? `score ${figure(last[2])}, threshold ${figure(last[3])}, at ${onClock(last[0])}` : "";
  const isSilent = silent > Math.max(15, 5 * hop()), still = `Nothing has been scored for ${span(silent)}; last ${figures}`;
  if (isAlarm) return { kind: "alarm", verdict: `Alarm since ${when(turn)}`, detail: isSilent ? still : figures };
  if (!last) return { kind: "unknown", verdict: "Waiting for sound", detail: "Nothing has been scored yet." };
  if (isSilent) return { kind: "unknown", verdict: "No sound", detail: still };
  if (last[4] === null || last[2] === null) return { kind: "unknown", verdict: "No verdict", detail: figures };
  return last[4] ? { kind: "above", verdict: "Above the threshold", detail: `${figures}; an alarm needs it to last` } : { kind: "normal", verdict: "Normal", detail: figures };
}

// ---- events ----

const name = (event) => (typeof event.event === "string" ? event.event : "event");
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
function when(event) {
  const epoch = Date.parse(event.time) / 1000;
  if (Number.isNaN(epoch)) return text(event.time ?? "");
  return onDay(epoch) === onDay(Date.now() / 1000) ? onClock(epoch) : `${onDay(epoch)} ${onClock(epoch)}`;
}
function sentence(event) {
  for (const key of ["sentence", "message", "text"]) if (typeof event[key] === "string") return event[key];
  const rest = Object.entries(event).filter(([key, value]) => !["event", "time", "seconds", "folder"].includes(key) && value !== null);
  return rest.map(([key, value]) => `${key.replaceAll("_", " ")} ${typeof value === "number" ? figure(value) : text(value)}`).join(", ");
}

function made(tag, content, kind) {
  const node = document.createElement(tag);
  if (content !== undefined) node.textContent = content;
  if (kind) node.className = kind;
  return node;
}

function item(event) {
  const row = made("li");
  row.dataset.kind = name(event) === "alarm" ? "alarm" : "";
  const kind = ["alarm", "clear", "drift", "gap"].includes(name(event)) ? name(event) : "";
  const time = made("time", when(event));
  if (typeof event.time === "string") time.dateTime = event.time;
  row.append(made("span", name(event), `badge ${kind}`), time, made("span", sentence(event), "text"));
  if (typeof event.folder === "string") {
    row.dataset.folder = event.folder;
    const more = made("details");
    more.append(made("summary", "picture and sound"), made("div"));
    more.addEventListener("toggle", () => fill(row));
    row.append(more);
  }
  return row;
}

// Pictures and sounds are asked for when somebody looks, and only those that there are.
function fill(row) {
  const folder = row.dataset.folder, more = row.querySelector("details"), place = more.lastElementChild;
  const there = Object.hasOwn(files, folder) ? files[folder] : [];
  if (!more.open || place.dataset.there === there.join()) return;
  place.dataset.there = there.join();
  const at = (file) => `/alarms/${encodeURIComponent(folder)}/${file}`;
  place.replaceChildren();
  if (there.includes("picture.png")) {
    const picture = made("img");
    picture.alt = "Bands and times that drove the alarm";
    picture.src = at("picture.png");
    place.append(picture);
  }
  if (there.includes("sound.flac")) {
    const audio = made("audio");
    audio.controls = true; audio.preload = "none"; audio.src = at("sound.flac");
    audio.setAttribute("aria-label", "The sound around the alarm");
    place.append(audio);
  } else if (there.length) place.append(made("p", "No sound was kept of it."));
  if (there.includes("alarm.json")) {
    const link = made("a", "all numbers (JSON)");
    link.href = at("alarm.json"); link.target = "_blank"; link.rel = "noopener";
    place.append(link);
  }
  if (!there.length) place.append(made("p", "Nothing of it is kept, or not yet."));
}

function list(nNew, filesChanged) {
  const place = $("events"), isFirst = place.dataset.run !== known.run;
  if (isFirst) { place.replaceChildren(); place.dataset.run = known.run; }
  place.querySelector(".none")?.remove();
  const rows = events.slice(isFirst ? 0 : -nNew || events.length).map(item).reverse();
  place.prepend(...rows);
  while (place.children.length > 200) place.lastElementChild.remove();
  if (rows.length) { const newest = rows.find((row) => row.dataset.folder); if (newest) newest.querySelector("details").open = true; }
  if (filesChanged) for (const row of place.querySelectorAll("li[data-folder]")) fill(row);
  choose();
}

function choose() {
  const only = $("choice").value;
  let shown = 0;
  for (const row of $("events").querySelectorAll("li:not(.none)")) { row.hidden = only !== "" && row.dataset.kind !== only; shown += !row.hidden; }
  $("events").querySelector(".none")?.remove();
  if (!shown) $("events").append(made("li", only ? "No alarm yet." : "Nothing yet.", "none"));
  change($("count"), events.length ? `${shown} of ${events.length}` : "");
}

// ---- once a second ----

async function ask() {
  const query = new URLSearchParams(known);
  try {
    const answer = await fetch(`/state.json?${query}`, { signal: AbortSignal.timeout(5000), cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const state = await answer.json();
    failures = 0;
    lastAnswer = Date.now() / 1000;
    take(state);
  } catch { failures++; }
  show();
  if (!document.hidden && failures === 0) draw();
  // A page that nobody looks at asks rarely.
  waiting = setTimeout(ask, document.hidden ? 10000 : 1000);
}

let waiting = null;
document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting !== null) { clearTimeout(waiting); waiting = null; ask(); } });
window.addEventListener("resize", () => { if (heard.about) draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (heard.about) draw(); });
document.addEventListener("play", (event) => { for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause(); }, true);
$("choice").addEventListener("change", choose);
ask();
