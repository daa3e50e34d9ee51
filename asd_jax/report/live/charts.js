// Draws what was heard: the score's last hour, the hours of 30 days, and the spectrogram of the last minute.

/** What there is to draw, as live.js fills it from the monitor's answers. */
export const heard = { about: null, points: [], hours: [], hour: null, columns: [], nBands: 0, perSecond: 1 };

export const $ = (id) => document.getElementById(id);
export function change(node, text) { if (node.textContent !== text) node.textContent = text; }
const pad = (number) => String(number).padStart(2, "0");
export const onClock = (epoch, withSeconds = true) => { const t = new Date(epoch * 1000); return `${pad(t.getHours())}:${pad(t.getMinutes())}${withSeconds ? `:${pad(t.getSeconds())}` : ""}`; };
export const onDay = (epoch) => { const t = new Date(epoch * 1000); return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}`; };
export const figure = (value) => (value === null ? "none" : String(Number(value.toPrecision(4))));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

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

export function hop() {
  const apart = [];
  for (let i = Math.max(1, heard.points.length - 50); i < heard.points.length; i++) apart.push(heard.points[i][1] - heard.points[i - 1][1]);
  return apart.sort((a, b) => a - b)[apart.length >> 1] ?? 1;
}

function drawHour() {
  const area = begin($("hour")), last = heard.points[heard.points.length - 1], { draw } = area;
  if (!last) { say(draw, "No scores yet", area.width / 2, area.height / 2, "center"); return; }
  const y = values(area, heard.points.flatMap((point) => [point[2], point[3]]));
  if (!y) return;
  const until = last[1], length = Math.min(heard.about.hour_seconds, Math.max(300, until - heard.points[0][1]));
  const x = times(area, until - length, until, last[0], { steps: [60, 120, 300, 600, 900, 1200, 1800], label: (at) => onClock(at, false) });
  draw.save(); draw.beginPath(); draw.rect(area.left, area.top - 4, area.right - area.left + 4, area.bottom - area.top + 8); draw.clip();
  const apart = Math.max(5, 3 * hop());
  draw.strokeStyle = colour("blue"); draw.lineWidth = 1.3; draw.lineJoin = "round";
  line(area, heard.points, x, y, (point) => point[2], apart);
  draw.fillStyle = colour("red");
  for (const point of heard.points) if (point[4] && point[2] !== null) { draw.beginPath(); draw.arc(x(point[1]), y(point[2]), 2.2, 0, 2 * Math.PI); draw.fill(); }
  draw.strokeStyle = colour("red"); draw.lineWidth = 1.5; draw.setLineDash([6, 4]);
  line(area, heard.points, x, y, (point) => point[3], Infinity);
  draw.restore();
  cursor(area, "hour", heard.points, x);
  const mean = heard.points.filter((point) => point[2] !== null), above = heard.points.filter((point) => point[4]).length;
  label("hour", `Scores of the last hour: latest ${figure(last[2])}, threshold ${figure(last[3])}, highest ${figure(mean.reduce((most, point) => Math.max(most, point[2]), -Infinity))}, ${above} of ${heard.points.length} above the threshold`);
  if (reading.hour === null) change($("hour-read"), `${above} of ${heard.points.length} windows above the threshold (dashed)`);
  else { const point = heard.points[reading.hour]; change($("hour-read"), `${onClock(point[0])}: score ${figure(point[2])}, threshold ${figure(point[3])}${point[4] ? ", above" : ""}`); }
}

function drawDays() {
  const area = begin($("days")), all = heard.hour ? [...heard.hours, heard.hour] : heard.hours, { draw } = area, last = all[all.length - 1];
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
  if (!heard.columns.length || !heard.nBands) { say(draw, "No sound yet", area.width / 2, area.height / 2, "center"); return; }
  const counts = new Uint32Array(256);
  for (const column of heard.columns) for (const level of column) counts[level]++;
  const total = heard.columns.length * heard.nBands;
  const at = (share) => { let sum = 0; for (let level = 0; level < 256; level++) { sum += counts[level]; if (sum >= share * total) return level; } return 255; };
  const low = at(0.02), high = Math.max(low + 20, at(0.998));
  const image = new ImageData(heard.columns.length, heard.nBands);
  heard.columns.forEach((column, i) => {
    for (let band = 0; band < heard.nBands; band++) {
      const place = 4 * ((heard.nBands - 1 - band) * heard.columns.length + i), shade = heat[Math.max(0, Math.min(255, Math.round(((column[band] - low) / (high - low)) * 255)))];
      image.data.set(shade, place);
    }
  });
  const sheet = new OffscreenCanvas(heard.columns.length, heard.nBands);
  sheet.getContext("2d").putImageData(image, 0, 0);
  const shown = Math.min(1, heard.columns.length / heard.perSecond / heard.about.spectrum_seconds) * (area.right - area.left);
  draw.imageSmoothingEnabled = heard.columns.length > shown;
  draw.drawImage(sheet, area.right - shown, area.top, shown, area.bottom - area.top);
  for (let back = 0; back <= heard.about.spectrum_seconds; back += area.width < 500 ? 20 : 10) {
    const place = area.right - (back / heard.about.spectrum_seconds) * (area.right - area.left);
    say(draw, back ? `−${back} s` : "now", Math.min(place, area.right - 10), area.bottom + 13, "center");
  }
  const bands = heard.about.band_hz && heard.about.band_hz.length === heard.nBands ? heard.about.band_hz : null;
  if (bands) {
    const step = (area.bottom - area.top) / heard.nBands;
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
  const db = (level) => String(Math.round(heard.about.lowest_db + level / heard.about.steps_per_db)).replace("-", "−");
  label("spectrum", `Spectrogram of the last minute, ${heard.nBands} bands, from ${db(low)} to ${db(high)} dB`);
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

export function draw() { drawHour(); drawSpectrum(); drawDays(); }
