"use strict";
// The page's data: runs with their stories, and figures. Everything is drawn when its place is opened.
const DATA = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// ---- time -------------------------------------------------------------------------------------------------------------
const UNITS = [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];
const unitOf = (ns) => UNITS.find(([, size]) => Math.abs(ns) >= size) || UNITS[3];
function time(ns) {
  const [name, size] = unitOf(ns);
  return (ns / size).toLocaleString("en", { maximumFractionDigits: size === 1 ? 0 : 3 }) + " " + name;
}
function ticks(from, to, origin, width) {
  const rough = (to - from) / Math.max(2, width / 130);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const list = [];
  for (let n = Math.ceil((from - origin) / step); n * step + origin <= to && list.length < 60; n++) list.push(n * step);
  const [name, size] = unitOf(Math.max(Math.abs(from - origin), Math.abs(to - origin)));
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return list.map((at) => [at + origin, (at / size).toFixed(digits) + " " + name]);
}

// ---- what a story says of each CPU -----------------------------------------------------------------------------------------
const PHASE = 1, START = 2, ALIVE = 3, ONLINE = 4, GIVEN_UP = 5, DYING = 6, OFF = 7, STOP = 8;
const END_OF = { starting: "starting", arriving: "first code, not online yet", online: "online", leaving: "on its way off",
  owner: "owns the stop", parked: "stands still", silent: "did not stop" };

function read(story) {
  const lanes = story.rows.map((row) => ({ row, bars: [], marks: [] }));
  const open = new Map();
  const arrows = [], phases = [];
  const lane = (cpu) => lanes[cpu];
  const close = (cpu, at) => {
    const bar = open.get(cpu);
    if (bar) { bar.to = at; lane(cpu).bars.push(bar); open.delete(cpu); }
  };
  const begin = (cpu, what, at) => { close(cpu, at); open.set(cpu, { what, from: at, to: null }); };
  const stop = story.stop;
  const end = story.end;
  if (lanes.length) begin(0, "online", 0);
  const pending = new Map();
  const signals = [];
  for (const [at, cpu, kind, a, b, text] of story.events) {
    if (!lane(cpu)) continue;
    if (kind === PHASE) { if (phases.length) phases[phases.length - 1].to = at; phases.push({ name: text.replace("boot: ", ""), from: at, to: at }); }
    else if (kind === START) { if (b === 0) begin(cpu, "starting", at); pending.set(cpu, { from: at, by: a, again: b }); }
    else if (kind === ALIVE) {
      begin(cpu, "arriving", at);
      const start = pending.get(cpu);
      if (start && lane(start.by)) arrows.push({ kind: "start", from: start.from, a: start.by, to: at, b: cpu });
    } else if (kind === ONLINE) begin(cpu, "online", at);
    else if (kind === DYING) begin(cpu, "leaving", at);
    else if (kind === OFF || kind === GIVEN_UP) close(cpu, at);
    else if (kind === STOP) signals.push({ at, cpu, rung: a });
    if (kind !== PHASE) lane(cpu).marks.push({ at, kind, text });
  }
  if (stop) for (const { row } of lanes) {
    if (row.owner) { begin(row.cpu, "owner", stop.began); continue; }
    if (row.silent && row.state !== "PARKED") { begin(row.cpu, "silent", stop.began); continue; }
    if (row.state !== "PARKED" && row.answered === null) continue;
    const at = stop.began + (row.answered || 0);
    begin(row.cpu, "parked", at);
    const signal = signals.filter((s) => s.at <= at && row.by_signal).pop();
    if (signal && signal.cpu !== row.cpu) arrows.push({ kind: "signal", from: signal.at, a: signal.cpu, to: at, b: row.cpu, rung: signal.rung });
  }
  for (const cpu of [...open.keys()]) close(cpu, end);
  const steps = phases.map((p) => ({ ...p, of: "boot" })).concat(stop ? stages(stop, signals, story.rows) : []);
  return { lanes, arrows, phases, steps, stop, end };
}

// What a stop is made of: until its first signal, from each kind of signal to the next or the last answer, and what its owner did then.
function stages(stop, signals, rows) {
  const list = [{ name: "request", from: stop.began }], end = stop.began + stop.took;
  for (const s of signals) if (s.at >= stop.began && s.at <= end && !list.some((l) => l.rung === s.rung)) list.push({ name: `signal ${s.rung + 1}`, from: s.at, rung: s.rung });
  const last = Math.max(...rows.map((row) => row.answered || 0));
  if (last > 0 && last < stop.took && !rows.some((row) => row.silent)) list.push({ name: "account", from: Math.max(stop.began + last, list[list.length - 1].from) });
  return list.map((l, n) => ({ name: l.name, of: "stop", from: l.from, to: n + 1 < list.length ? list[n + 1].from : end }));
}

// A backtrace; what was inlined has no number of its own.
function frames(trace) {
  let at = 0;
  return trace.map((line) => `<span class="mono">${line.startsWith("inlined into ") ? "   " : "#" + at++} ${esc(line)}</span>`);
}

// ---- the picture -----------------------------------------------------------------------------------------------------------
const GUTTER = 66, TOP = 46, FOOT = 6;

function picture(place, run, wanted = "stop") {
  const story = run.story, model = read(story);
  const pad = (from, to) => { const room = Math.max(1, to - from) * 0.04; return [Math.max(0, from - room), to + room]; };
  const last = model.phases.length ? Math.max(...model.phases.map((p) => p.to)) : model.end;
  const views = [];
  if (model.phases.length) views.push({ name: "boot", range: pad(0, last), origin: 0 });
  const arrived = Math.max(0, ...model.lanes.flatMap((lane) => lane.bars.filter((bar) => bar.what === "starting" || bar.what === "arriving").map((bar) => bar.to)));
  const bringUp = model.arrows.filter((a) => a.kind === "start");
  if (bringUp.length) views.push({ name: "bring-up", range: pad(Math.min(...bringUp.map((a) => a.from)), arrived), origin: Math.min(...bringUp.map((a) => a.from)) });
  if (model.stop) views.push({ name: "stop", range: pad(model.stop.began, model.stop.began + Math.max(model.stop.took, 1000)), origin: model.stop.began });
  views.push({ name: "all", range: pad(0, model.end), origin: 0 });
  const first = views.find((v) => v.name === wanted) || views[0];
  let view = { ...first };
  place.innerHTML = `<div class="views">${views.map((v) => `<button type="button" data-view="${v.name}">${v.name}</button>`).join("")}
    <button type="button" data-zoom="0.5" aria-label="closer">+</button><button type="button" data-zoom="2" aria-label="further away">−</button>
    <span class="dim">Ctrl and wheel zoom, too; drag moves, double-click shows all</span></div>
    <div class="legend">${Object.entries(END_OF).map(([key, text]) => `<span><i style="background:var(--${key})"></i>${text}</span>`).join("")}
    <span><i style="background:var(--start)"></i>start → first code</span><span><i style="background:var(--signal)"></i>signal → acknowledgement</span></div>
    <svg class="lanes" role="img" aria-label="one lane for each CPU"></svg>`;
  const svg = place.querySelector("svg");
  const tips = [];
  const n = model.lanes.length;
  const height = Math.max(3, Math.min(20, Math.floor(720 / n)));
  const gap = height > 8 ? 3 : height > 4 ? 1 : 0;
  const step = height + gap;
  const every = Math.max(1, Math.ceil(12 / step));
  // Hundreds of arrows must not hide what they point at.
  const faint = Math.max(0.1, Math.min(0.75, 30 / Math.max(1, model.arrows.length)));

  function note(text) { tips.push(text); return `data-t="${tips.length - 1}"`; }

  function draw() {
    tips.length = 0;
    const width = Math.max(300, svg.clientWidth || place.clientWidth || 900);
    const [from, to] = view.range;
    const scale = (width - GUTTER - 10) / (to - from);
    const x = (at) => Math.round((GUTTER + (Math.min(Math.max(at, from), to) - from) * scale) * 10) / 10;
    const wide = (from, to) => Math.max(1, Math.round((x(to) - x(from)) * 10) / 10);
    const y = (cpu) => TOP + cpu * step;
    const inside = (a, b) => b >= from && a <= to;
    const tall = TOP + n * step + FOOT;
    const parts = [];
    for (const [at, text] of ticks(from, to, view.origin, width)) parts.push(`<line class="axis" x1="${x(at)}" x2="${x(at)}" y1="16" y2="${tall}"/>` + (x(at) + 6 * text.length < width ? `<text x="${x(at) + 3}" y="12">${text}</text>` : ""));
    parts.push(`<text x="4" y="${TOP - 12}">step</text>`);
    const strip = [];
    for (const p of model.steps) if (inside(p.from, p.to) && p.to > p.from) {
      const w = wide(p.from, p.to);
      strip.push(`<rect class="phase" x="${x(p.from)}" y="${TOP - 24}" width="${w}" height="16" ${note(`<b>${p.of}: ${esc(p.name)}</b>from ${time(p.from)}, for ${time(p.to - p.from)}`)}/>`);
      if (w > p.name.length * 6.2) strip.push(`<text class="phase-name" x="${x(p.from) + 3}" y="${TOP - 12}">${esc(p.name)}</text>`);
    }
    parts.push(`<g>${strip.filter((s) => s.startsWith("<rect")).join("")}</g><g>${strip.filter((s) => !s.startsWith("<rect")).join("")}</g>`);
    model.lanes.forEach((lane, cpu) => {
      const top = y(cpu), parts2 = [];
      if (cpu % every === 0) parts2.push(`<text x="4" y="${top + Math.min(height, 12) - (height > 8 ? (12 - Math.min(height, 12)) / 2 : 0)}">CPU ${lane.row.cpu}</text>`);
      if (height > 8) parts2.push(`<line class="lane-line" x1="${GUTTER}" x2="${width - 10}" y1="${top + height / 2}" y2="${top + height / 2}"/>`);
      for (const bar of lane.bars) if (inside(bar.from, bar.to))
        parts2.push(`<rect class="${bar.what}" x="${x(bar.from)}" y="${top}" width="${wide(bar.from, bar.to)}" height="${height}" ${note(about(lane.row, bar))}/>`);
      let lastMark = -9;
      for (const mark of lane.marks) if (mark.at >= from && mark.at <= to) {
        const at = x(mark.at);
        if (at - lastMark < 0.7) continue;
        lastMark = at;
        parts2.push(`<rect class="mark" x="${at - 1}" y="${top}" width="2" height="${height}" ${note(`<b>CPU ${lane.row.cpu}: ${esc(mark.text)}</b>at ${time(mark.at)}`)}/>`);
      }
      parts.push(`<g class="lane" data-cpu="${lane.row.cpu}">${parts2.join("")}</g>`);
    });
    for (const arrow of model.arrows) if (inside(arrow.from, arrow.to)) {
      const [x1, y1, x2, y2] = [x(arrow.from), y(arrow.a) + height / 2, x(arrow.to), y(arrow.b) + height / 2];
      const what = arrow.kind === "start" ? "start to first code" : `stop signal ${arrow.rung} to acknowledgement`;
      parts.push(`<path class="arrow ${arrow.kind}" opacity="${faint}" d="M${x1} ${y1}L${x2} ${y2}" ${note(`<b>CPU ${arrow.a} → CPU ${arrow.b}: ${what}</b>${time(arrow.to - arrow.from)}, from ${time(arrow.from)}`)}/>`);
      if (height > 4) parts.push(`<circle class="head ${arrow.kind}" cx="${x2}" cy="${y2}" r="2"/>`);
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);
    svg.style.height = tall + "px";
    svg.innerHTML = parts.join("");
    place.querySelectorAll("button[data-view]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.view === view.name)));
  }

  function about(row, bar) {
    const lines = [`<b>CPU ${row.cpu}: ${END_OF[bar.what]}</b>from ${time(bar.from)}, for ${time(bar.to - bar.from)}`];
    if (row.hw) lines.push(`hardware id 0x${esc(row.hw)}`);
    if (["parked", "owner", "silent"].includes(bar.what)) {
      if (row.via) lines.push(`came to stop by: ${esc(row.via)}` + (row.answered !== null ? `, ${time(row.answered)} after the stop began` : ""));
      if (row.why) lines.push(`reason: ${esc(row.why)}`);
      if (row.regs) lines.push("", ...row.regs.map((line) => `<span class="mono">${esc(line)}</span>`));
      if (row.trace.length) lines.push("", ...frames(row.trace));
    }
    return lines.join("\n");
  }

  let waiting = false;
  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } };
  const show = (v) => { view = { ...v }; soon(); };
  const clamp = ([a, b]) => [Math.max(0, a), Math.min(model.end * 1.1 + 1000, Math.max(b, a + 10))];
  place.querySelector(".views").addEventListener("click", (e) => { const v = views.find((v) => v.name === e.target.dataset.view); if (v) show(v); if (e.target.dataset.zoom) zoom((view.range[0] + view.range[1]) / 2, Number(e.target.dataset.zoom)); });
  svg.addEventListener("dblclick", () => show(views[views.length - 1]));
  const at = (event) => { const box = svg.getBoundingClientRect(); const [a, b] = view.range; return a + ((event.clientX - box.left - GUTTER) / (box.width - GUTTER - 10)) * (b - a); };
  const zoom = (middle, factor) => show({ name: "", origin: view.origin, range: clamp(view.range.map((t) => middle + (t - middle) * factor)) });
  svg.addEventListener("wheel", (event) => {
    // Without the key the page scrolls: pictures of hundreds of lanes are higher than a window.
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(at(event), event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
  let drag = null;
  const say = (event) => { const target = event.target.closest("[data-t]"); target ? hint(tips[target.dataset.t], event) : hint(); };
  svg.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, range: view.range }; say(event); });
  addEventListener("pointerup", () => { drag = null; });
  svg.addEventListener("pointermove", (event) => {
    if (drag && event.buttons) {
      const shift = ((event.clientX - drag.x) / (svg.clientWidth - GUTTER - 10)) * (drag.range[1] - drag.range[0]);
      if (Math.abs(event.clientX - drag.x) > 2) show({ name: "", origin: view.origin, range: drag.range.map((t) => t - shift) });
    }
    say(event);
  });
  svg.addEventListener("pointerleave", () => hint());
  addEventListener("resize", soon);
  draw();
}

function hint(html, event) {
  tip.classList.toggle("on", Boolean(html));
  if (!html) return;
  tip.innerHTML = html;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(4, event.clientY + 16 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 16) + "px";
}

// ---- plots -----------------------------------------------------------------------------------------------------------------
const W = 460, H = 230, L = 58, R = 12, B = 30, T = 10;
const logTicks = (from, to) => { const list = []; for (let p = Math.floor(Math.log10(from)); 10 ** p <= to * 1.0001; p++) if (10 ** p >= from * 0.999) list.push(10 ** p); return list; };
const count = (n) => (n >= 1e9 ? n / 1e9 + "G" : n >= 1e6 ? n / 1e6 + "M" : n >= 1e3 ? n / 1e3 + "k" : String(n));
const colour = (n) => `var(--plot-${n % 6})`;

function plot(title, note, series, svg) {
  const keys = series.map((s, n) => `<span><i style="background:${s.dashed ? "none;border:1px dashed " + colour(s.colour ?? n) : colour(s.colour ?? n)}"></i>${esc(s.name)}</span>`).join("");
  return `<div class="plot"><h3>${esc(title)}</h3><p>${esc(note)}</p><svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${esc(title)}">${svg}</svg><div class="legend">${keys}</div></div>`;
}

// Lines over two logarithmic axes.
function lines({ title, note, x: xName, y: yName, series }) {
  const all = series.flatMap((s) => s.points);
  if (!all.length) return "";
  const span = (n) => { const v = all.map((p) => Math.max(p[n], 1e-9)); const [a, b] = [Math.min(...v), Math.max(...v)]; return a === b ? [a / 2, b * 2] : [a, b]; };
  const [[x0, x1], [y0, y1]] = [span(0), span(1)];
  const X = (v) => L + (Math.log(v / x0) / Math.log(x1 / x0)) * (W - L - R), Y = (v) => H - B - (Math.log(v / y0) / Math.log(y1 / y0)) * (H - B - T);
  const xs = [...new Set(all.map((p) => p[0]))].sort((a, b) => a - b);
  const parts = xs.map((v) => `<text x="${X(v)}" y="${H - 14}" text-anchor="middle">${count(v)}</text>`);
  parts.push(`<text x="${W - R}" y="${H - 2}" text-anchor="end">${esc(xName)}</text><text x="2" y="${H - 2}">${esc(yName)}</text>`);
  for (const v of logTicks(y0, y1)) parts.push(`<line class="axis" x1="${L}" x2="${W - R}" y1="${Y(v)}" y2="${Y(v)}"/><text x="${L - 4}" y="${Y(v) + 4}" text-anchor="end">${count(v)}</text>`);
  series.forEach((s, n) => {
    const points = s.points.slice().sort((a, b) => a[0] - b[0]);
    const c = colour(s.colour ?? n);
    if (!s.scatter) parts.push(`<path d="M${points.map((p) => `${X(p[0])} ${Y(Math.max(p[1], y0))}`).join("L")}" fill="none" stroke="${c}" stroke-width="1.6" ${s.dashed ? 'stroke-dasharray="4 3"' : ""}/>`);
    for (const p of points) parts.push(`<circle cx="${X(p[0])}" cy="${Y(Math.max(p[1], y0))}" r="${s.scatter ? 3.5 : 2.5}" fill="${c}" fill-opacity="${s.scatter ? 0.55 : 1}"><title>${esc(s.name)}: ${p[0]} → ${p[1].toLocaleString("en")}</title></circle>`);
  });
  return plot(title, note, series, parts.join(""));
}

// How many of a list lie where, four ranges to each doubling.
function histogram({ title, note, series }) {
  const bucket = (ns) => Math.floor(Math.log2(Math.max(ns, 1)) * 4), start = (b) => 2 ** (b / 4);
  const all = series.flatMap((s) => s.values);
  if (all.length < 2) return "";
  const [from, to] = [Math.min(...all.map(bucket)), Math.max(...all.map(bucket)) + 1];
  const counts = series.map((s) => { const list = new Array(to - from).fill(0); s.values.forEach((v) => list[bucket(v) - from]++); return list; });
  const most = Math.max(...counts.flat());
  const wide = (W - L - R) / (to - from), one = wide / series.length;
  const parts = [`<text x="${W - R}" y="9" text-anchor="end">how many</text><line class="axis" x1="${L}" x2="${W - R}" y1="${H - B}" y2="${H - B}"/><text x="${L - 4}" y="${T + 8}" text-anchor="end">${most}</text>`];
  const every = Math.ceil((to - from) / 7);
  for (let b = from; b <= to; b += every) parts.push(`<text x="${Math.min(L + (b - from) * wide, W - 22)}" y="${H - 14}" text-anchor="middle">${time(start(b)).replace(/(\.\d).*? /, "$1 ")}</text>`);
  counts.forEach((list, n) => list.forEach((c, b) => {
    const tall = (c / most) * (H - B - T);
    if (c) parts.push(`<rect x="${L + b * wide + n * one}" y="${H - B - tall}" width="${Math.max(0.8, one - 0.4)}" height="${tall}" fill="${colour(n)}"><title>${esc(series[n].name)}: ${c} from ${time(start(b + from))}</title></rect>`);
  }));
  return plot(title, note, series, parts.join(""));
}

// What a boot is made of, and what it is compared with.
function phases({ title, note, rows }) {
  const wide = 210, tall = 24;
  const most = Math.max(...rows.map((r) => r.parts.reduce((sum, p) => sum + p[1], 0)));
  const names = [...new Set(rows.flatMap((r) => r.parts.map((p) => p[0])))];
  const svg = rows.map((row, n) => {
    let x = 90;
    const total = row.parts.reduce((sum, p) => sum + p[1], 0);
    const bars = row.parts.map(([name, ns]) => {
      const w = (ns / most) * wide;
      const bar = `<rect x="${x}" y="${n * tall + 6}" width="${Math.max(0.3, w)}" height="${tall - 9}" fill="${colour(names.indexOf(name))}" fill-opacity="${names.indexOf(name) >= 6 ? 0.55 : 1}"><title>${esc(name)}: ${count(ns)}</title></rect>`;
      x += w;
      return bar;
    });
    return `<text x="2" y="${n * tall + 19}">${esc(row.name)}</text>${bars.join("")}<text x="${x + 4}" y="${n * tall + 19}">${esc(row.text ?? time(total))}</text>`;
  }).join("");
  const keys = names.map((name, n) => `<span><i style="background:${colour(n)};opacity:${n >= 6 ? 0.55 : 1}"></i>${esc(name)}</span>`).join("");
  return `<div class="plot"><h3>${esc(title)}</h3><p>${esc(note)}</p><svg viewBox="0 0 ${W} ${rows.length * tall + 8}" role="img" aria-label="${esc(title)}">${svg}</svg><div class="legend">${keys}</div></div>`;
}

const DRAW = { lines, histogram, phases };

// What all runs of the page show together.
function common() {
  const told = DATA.runs.filter((run) => run.story);
  const stopped = told.filter((run) => run.story.stop && run.story.stop.took > 0);
  const by = (list, key) => [...list.reduce((map, run) => map.set(key(run), [...(map.get(key(run)) || []), run]), new Map())].sort();
  const figures = [];
  if (stopped.length > 1) {
    figures.push(["histogram", { title: "How long a stop took", note: "from its beginning until its owner knew that all stood, by the guest's clock", series: by(stopped, (r) => r.story.arch).map(([name, runs]) => ({ name, values: runs.map((r) => r.story.stop.took) })) }]);
    figures.push(["histogram", { title: "How long a CPU took to answer", note: "from the beginning of the stop to its acknowledgement, each CPU of each run", series: by(stopped, (r) => r.story.arch).map(([name, runs]) => ({ name, values: runs.flatMap((r) => r.story.rows.filter((w) => w.answered).map((w) => w.answered)) })) }]);
    if (new Set(stopped.map((r) => r.story.rows.length)).size > 1)
      figures.push(["lines", { title: "Stops by size", note: "each run a dot", x: "CPUs", y: "ns", series: by(stopped, (r) => r.story.arch).map(([name, runs]) => ({ name, scatter: true, points: runs.map((r) => [r.story.rows.length, r.story.stop.took]) })) }]);
  }
  return figures;
}

const figures = [...DATA.figures.map((f) => [f.kind, f]), ...common()].map(([kind, f]) => (DRAW[kind] ? DRAW[kind](f) : "")).filter(Boolean);
if (figures.length) document.getElementById("plots").innerHTML = `<h2>Figures</h2><div class="plots">${figures.join("")}</div>`;

// ---- runs ------------------------------------------------------------------------------------------------------------------
const drawn = new Set();
function unfold(details) {
  const run = DATA.runs[details.dataset.run];
  if (details.open && !drawn.has(details) && run && run.story) { drawn.add(details); picture(details.querySelector(".picture"), run); }
}
document.querySelectorAll("details.run").forEach((details) => details.addEventListener("toggle", () => unfold(details)));
function follow() {
  const details = document.querySelector(location.hash.startsWith("#run-") ? location.hash : ".none");
  if (details) { details.open = true; unfold(details); details.scrollIntoView(); }
}
addEventListener("hashchange", follow);
if (DATA.runs.length === 1) { const only = document.querySelector("details.run"); only.open = true; unfold(only); }
follow();
