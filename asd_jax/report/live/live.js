"use strict";
// Asks the monitor each second for what is new and draws it. Everything from outside is set by textContent.
const $ = (id) => document.getElementById(id);
const known = { run: "", points: 0, columns: 0, hours: 0, events: 0 };
let about = null, points = [], hours = [], hour = null, events = [], columns = [], nBands = 0, perSecond = 1;
let files = {}, filesText = "", silent = 0, lastAnswer = null, failures = 0;

const pad = (number) => String(number).padStart(2, "0");
const onClock = (epoch, withSeconds = true) => { const t = new Date(epoch * 1000); return `${pad(t.getHours())}:${pad(t.getMinutes())}${withSeconds ? `:${pad(t.getSeconds())}` : ""}`; };
const onDay = (epoch) => { const t = new Date(epoch * 1000); return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}`; };
const figure = (value) => (value === null ? "none" : String(Number(value.toPrecision(4))));
const span = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : seconds < 172800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86400)} days`);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// ---- what the monitor says ----

function take(state) {
  const isAnew = state.about.run !== known.run;
  if (isAnew) {
    points = []; hours = []; events = []; columns = [];
    known.run = state.about.run;
  }
  about = state.about;
  points.push(...state.points.new);
  points.splice(0, Math.max(0, points.length - (state.points.next - state.points.first)));
  hours.push(...state.hours.new);
  hours.splice(0, Math.max(0, hours.length - 720));
  hour = state.hour;
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
    if (state.n_bands !== nBands) columns = [];
    nBands = state.n_bands;
    for (let at = 0; at < bytes.length; at += nBands) columns.push(bytes.subarray(at, at + nBands));
  }
  perSecond = state.columns_per_second || Math.max(1, columns.length);
  columns.splice(0, Math.max(0, columns.length - (state.columns.next - state.columns.first)));
}

// ---- the state on top ----

function change(node, text) { if (node.textContent !== text) node.textContent = text; }

function show() {
  const title = about && about.title ? about.title : "Monitor";
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
  const last = points[points.length - 1];
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

// ---- charts ----

function begin(canvas) {
  const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const width = Math.max(50, Math.floor(box.width) - 2), height = Math.max(50, Math.floor(box.height) - 2);
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) { canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale); }
  const draw = canvas.getContext("2d");
  draw.setTransform(scale, 0, 0, scale, 0, 0);
  draw.clearRect(0, 0, width, height);
  draw.font = "12px system-ui, sans-serif";
  return { draw, width, height, left: 52, right: width - 10, top: 12, bottom: height - 24 };
}

function say(draw, words, x, y, align = "left", baseline = "middle") {
  draw.fillStyle = colour("soft"); draw.textAlign = align; draw.textBaseline = baseline;
  draw.fillText(words, x, y);
}

function round(step) {
  const power = 10 ** Math.floor(Math.log10(step)), share = step / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

// Axis of values: from the lowest to the highest of what is shown, the threshold among them.
function values(area, all) {
  let low = Infinity, high = -Infinity;
  for (const value of all) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low === Infinity) return null;
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  low -= room; high += room;
  const y = (value) => area.bottom - ((value - low) / (high - low)) * (area.bottom - area.top);
  const step = round((high - low) / 5);
  area.draw.lineWidth = 1; area.draw.strokeStyle = colour("line");
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    area.draw.beginPath(); area.draw.moveTo(area.left, y(value)); area.draw.lineTo(area.right, y(value)); area.draw.stroke();
    say(area.draw, figure(value), area.left - 6, y(value), "right");
  }
  return y;
}

// Axis of time: the sound's clock is drawn, the wall clock's time of the last entry labels it.
function times(area, from, until, epoch, { steps, label }) {
  const x = (seconds) => area.left + ((seconds - from) / (until - from)) * (area.right - area.left);
  const most = Math.max(2, Math.floor((area.right - area.left) / 70));
  const step = steps.find((of) => (until - from) / of <= most) ?? steps[steps.length - 1];
  const zone = new Date(epoch * 1000).getTimezoneOffset() * 60;
  for (let at = Math.ceil((epoch - (until - from) - zone) / step) * step; at <= epoch - zone; at += step) {
    const place = x(until - (epoch - zone - at));
    area.draw.strokeStyle = colour("line");
    area.draw.beginPath(); area.draw.moveTo(place, area.bottom); area.draw.lineTo(place, area.bottom + 4); area.draw.stroke();
    if (place > area.left + 18 && place < area.right - 18) say(area.draw, label(at + zone), place, area.bottom + 13, "center");
  }
  return x;
}

// Consecutive entries as one line; nothing is drawn across a gap.
function line(area, entries, x, y, value, mostApart) {
  const { draw } = area;
  draw.beginPath();
  let before = null;
  for (const entry of entries) {
    const of = value(entry);
    if (of === null) { before = null; continue; }
    if (before === null || entry[1] - before[1] > mostApart) draw.moveTo(x(entry[1]), y(of)); else draw.lineTo(x(entry[1]), y(of));
    before = entry;
  }
  draw.stroke();
}

function hop() {
  const apart = [];
  for (let i = Math.max(1, points.length - 50); i < points.length; i++) apart.push(points[i][1] - points[i - 1][1]);
  return apart.sort((a, b) => a - b)[apart.length >> 1] ?? 1;
}

function drawHour() {
  const area = begin($("hour")), last = points[points.length - 1], { draw } = area;
  if (!last) { say(draw, "No scores yet", area.width / 2, area.height / 2, "center"); return; }
  const y = values(area, points.flatMap((point) => [point[2], point[3]]));
  if (!y) return;
  const until = last[1], length = Math.min(about.hour_seconds, Math.max(300, until - points[0][1]));
  const x = times(area, until - length, until, last[0], { steps: [60, 120, 300, 600, 900, 1200, 1800], label: (at) => onClock(at, false) });
  draw.save(); draw.beginPath(); draw.rect(area.left, area.top - 4, area.right - area.left + 4, area.bottom - area.top + 8); draw.clip();
  const apart = Math.max(5, 3 * hop());
  draw.strokeStyle = colour("blue"); draw.lineWidth = 1.3; draw.lineJoin = "round";
  line(area, points, x, y, (point) => point[2], apart);
  draw.fillStyle = colour("red");
  for (const point of points) if (point[4] && point[2] !== null) { draw.beginPath(); draw.arc(x(point[1]), y(point[2]), 2.2, 0, 2 * Math.PI); draw.fill(); }
  draw.strokeStyle = colour("red"); draw.lineWidth = 1.5; draw.setLineDash([6, 4]);
  line(area, points, x, y, (point) => point[3], Infinity);
  draw.restore();
  cursor(area, "hour", points, x);
  const mean = points.filter((point) => point[2] !== null), above = points.filter((point) => point[4]).length;
  label("hour", `Scores of the last hour: latest ${figure(last[2])}, threshold ${figure(last[3])}, highest ${figure(mean.reduce((most, point) => Math.max(most, point[2]), -Infinity))}, ${above} of ${points.length} above the threshold`);
  if (reading.hour === null) change($("hour-read"), `${above} of ${points.length} windows above the threshold (dashed)`);
  else { const point = points[reading.hour]; change($("hour-read"), `${onClock(point[0])}: score ${figure(point[2])}, threshold ${figure(point[3])}${point[4] ? ", above" : ""}`); }
}

function drawDays() {
  const area = begin($("days")), all = hour ? [...hours, hour] : hours, { draw } = area, last = all[all.length - 1];
  if (!last) { say(draw, "The first hour has not been heard yet", area.width / 2, area.height / 2, "center"); return; }
  const y = values(area, all.flatMap((entry) => [entry[2], entry[4], entry[5]]));
  if (!y) return;
  const until = last[1] + 3600, length = Math.min(30 * 86400, Math.max(12 * 3600, until - all[0][1]));
  const isLong = length > 3 * 86400;
  const x = times(area, until - length, until, last[0] + 3600, { steps: [3600, 7200, 14400, 28800, 43200, 86400, 172800, 432000], label: (at) => (isLong ? onDay(at).slice(5) : onClock(at, false)) });
  const width = Math.max(1, x(until) - x(until - 3600) - (length < 5 * 86400 ? 2 : 0));
  for (const entry of all) {
    const [, at, low, median, high, threshold] = entry;
    draw.fillStyle = high > threshold ? colour("red") : colour("blue");
    draw.globalAlpha = high > threshold ? 0.6 : 0.35;
    draw.fillRect(x(at), y(high), width, Math.max(1, y(low) - y(high)));
    draw.globalAlpha = 1;
    draw.fillStyle = colour("ink");
    draw.fillRect(x(at), y(median) - 1, width, 2);
  }
  draw.strokeStyle = colour("red"); draw.lineWidth = 1.5; draw.setLineDash([6, 4]);
  draw.beginPath();
  all.forEach((entry, i) => { draw[i ? "lineTo" : "moveTo"](x(entry[1]), y(entry[5])); draw.lineTo(x(entry[1]) + width, y(entry[5])); });
  draw.stroke(); draw.setLineDash([]);
  cursor(area, "days", all, (at) => x(at) + width / 2);
  const entry = reading.days === null ? last : all[reading.days];
  const words = `${onDay(entry[0])}, the hour from ${onClock(entry[0], false)}: median ${figure(entry[3])}, from ${figure(entry[2])} to ${figure(entry[4])}`;
  label("days", `Hours of the last 30 days, each from its lowest to its highest score with its median; ${words}`);
  change($("days-read"), reading.days === null ? `each hour from its lowest to its highest score, with its median; the threshold is dashed. Latest ${words}` : words);
}

function drawSpectrum() {
  const canvas = $("spectrum"), area = begin(canvas), { draw } = area;
  if (!columns.length || !nBands) { say(draw, "No sound yet", area.width / 2, area.height / 2, "center"); return; }
  const counts = new Uint32Array(256);
  for (const column of columns) for (const level of column) counts[level]++;
  const total = columns.length * nBands;
  const at = (share) => { let sum = 0; for (let level = 0; level < 256; level++) { sum += counts[level]; if (sum >= share * total) return level; } return 255; };
  const low = at(0.02), high = Math.max(low + 20, at(0.998));
  const image = new ImageData(columns.length, nBands);
  columns.forEach((column, i) => {
    for (let band = 0; band < nBands; band++) {
      const place = 4 * ((nBands - 1 - band) * columns.length + i), shade = heat[Math.max(0, Math.min(255, Math.round(((column[band] - low) / (high - low)) * 255)))];
      image.data.set(shade, place);
    }
  });
  const sheet = new OffscreenCanvas(columns.length, nBands);
  sheet.getContext("2d").putImageData(image, 0, 0);
  const shown = Math.min(1, columns.length / perSecond / about.spectrum_seconds) * (area.right - area.left);
  draw.imageSmoothingEnabled = columns.length > shown;
  draw.drawImage(sheet, area.right - shown, area.top, shown, area.bottom - area.top);
  for (let back = 0; back <= about.spectrum_seconds; back += area.width < 500 ? 20 : 10) {
    const place = area.right - (back / about.spectrum_seconds) * (area.right - area.left);
    say(draw, back ? `−${back} s` : "now", Math.min(place, area.right - 10), area.bottom + 13, "center");
  }
  const bands = about.band_hz && about.band_hz.length === nBands ? about.band_hz : null;
  if (bands) {
    const step = (area.bottom - area.top) / nBands;
    let above = -Infinity;
    for (const hz of [16000, 8000, 4000, 2000, 1000, 500, 250, 125]) {
      const next = bands.findIndex((centre) => centre >= hz);
      if (next < 1) continue;
      const place = area.bottom - (next - 0.5 + (hz - bands[next - 1]) / (bands[next] - bands[next - 1])) * step;
      if (place - above < 14) continue;
      above = place;
      say(draw, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, area.left - 5, place, "right");
    }
  } else { say(draw, "high", area.left - 6, area.top + 6, "right"); say(draw, "low", area.left - 6, area.bottom - 6, "right"); }
  const db = (level) => String(Math.round(about.lowest_db + level / about.steps_per_db)).replace("-", "−");
  label("spectrum", `Spectrogram of the last minute, ${nBands} bands, from ${db(low)} to ${db(high)} dB`);
  change($("spectrum-read"), `dark ${db(low)} dB, bright ${db(high)} dB`);
}

const heat = (() => {
  const stops = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];
  return Array.from({ length: 256 }, (_, level) => {
    const place = (level / 255) * (stops.length - 1), first = Math.min(stops.length - 2, Math.floor(place));
    return [...stops[first].map((from, i) => Math.round(from + (stops[first + 1][i] - from) * (place - first))), 255];
  });
})();

function label(id, words) {
  const canvas = $(id), now = Date.now();
  if (!canvas.dataset.said || now - canvas.dataset.said > 10000) { canvas.setAttribute("aria-label", words); canvas.dataset.said = now; }
}

// ---- reading a chart by pointer or arrow keys ----

const reading = { hour: null, days: null }, placed = { hour: [], days: [] };
function cursor(area, id, entries, x) {
  placed[id] = entries.map((entry) => x(entry[1]));
  if (reading[id] === null) return;
  reading[id] = Math.min(reading[id], entries.length - 1);
  area.draw.setLineDash([]); area.draw.lineWidth = 1; area.draw.strokeStyle = colour("ink");
  const at = placed[id][reading[id]];
  area.draw.beginPath(); area.draw.moveTo(at, area.top); area.draw.lineTo(at, area.bottom); area.draw.stroke();
}

function nearest(id, at) {
  let best = 0;
  placed[id].forEach((place, i) => { if (Math.abs(place - at) < Math.abs(placed[id][best] - at)) best = i; });
  return best;
}

for (const [id, redraw] of [["hour", drawHour], ["days", drawDays]]) {
  const canvas = $(id);
  const read = (index) => { reading[id] = index; redraw(); };
  canvas.addEventListener("pointermove", (event) => { if (placed[id].length) read(nearest(id, event.offsetX)); });
  canvas.addEventListener("pointerleave", () => read(null));
  canvas.addEventListener("blur", () => read(null));
  canvas.addEventListener("keydown", (event) => {
    const last = placed[id].length - 1, now = reading[id] ?? last;
    const step = event.shiftKey ? 60 : 1;
    const to = { ArrowLeft: now - step, ArrowRight: now + step, Home: 0, End: last, Escape: null }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    $(`${id}-read`).setAttribute("aria-live", "polite");
    read(to === null ? null : Math.max(0, Math.min(last, to)));
  });
}

// ---- once a second ----

function draw() { drawHour(); drawSpectrum(); drawDays(); }

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
window.addEventListener("resize", () => { if (about) draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (about) draw(); });
document.addEventListener("play", (event) => { for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause(); }, true);
$("choice").addEventListener("change", choose);
ask();
