"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";

/* ---- drawing helpers ---------------------------------------------------------------------------------- */
function el(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}
function svg(host, width, height) {
  host.textContent = "";
  return el(host, "svg", {viewBox: `0 0 ${width} ${height}`, "aria-hidden": host.getAttribute("role") === "img" ? "true" : "false"});
}
function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(wanted, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= raw * 0.999) || 10 * power;
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}
function logTicks(low, high) {
  const out = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high)), decades = Math.log10(high / low);
  const marks = decades > 4 ? [1] : decades > 2.2 ? [1, 3] : decades > 1 ? [1, 2, 5] : [1, 2, 3, 5, 7];
  for (let p = first; p <= last; p++) for (const m of marks) {
    const t = m * 10 ** p;
    if (t >= low * 0.999 && t <= high * 1.001) out.push(t);
  }
  return out;
}
const plain = v => v === 0 ? "0" : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(0).replace("e", "·10^").replace("+", "") : String(Number(v.toPrecision(4)));
const fixed = (v, n) => v === null || v === undefined ? "–" : v.toFixed(n).replace("-", "−");
function path(xs, ys) {
  let d = "";
  for (let k = 0; k < xs.length; k++) d += (k ? "L" : "M") + xs[k].toFixed(1) + " " + ys[k].toFixed(1);
  return d;
}
function decode(text, Type) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  return new Type(bytes.buffer);
}
/* cividis, which looks the same to colour-blind readers */
const RAMP = ["#00224e", "#2a3f6d", "#575d6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838"].map(h => [1, 3, 5].map(k => parseInt(h.slice(k, k + 2), 16)));
function ramp(t) {
  const p = Math.min(Math.max(t, 0), 1) * (RAMP.length - 1), k = Math.min(Math.floor(p), RAMP.length - 2), f = p - k;
  return "rgb(" + RAMP[k].map((a, n) => Math.round(a + f * (RAMP[k + 1][n] - a))).join(",") + ")";
}
const has = v => v !== null && v !== undefined;
const SET = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#f0e442", "#888888"];

/* ---- tooltip and jump --------------------------------------------------------------------------------- */
const tip = $("tip");
function showTip(sample, x, y) {
  tip.textContent = "";
  const name = document.createElement("b");
  name.textContent = sample.l;
  tip.appendChild(name);
  const lines = [];
  if (sample.p !== null) lines.push(`${fixed(sample.p, 1)} nm, ${fixed(sample.e, 4)} eV`);
  if (sample.w !== null) lines.push(`width ${fixed(sample.w, 1)} meV`);
  if (has(sample.xn)) lines.push(`first exciton ${fixed(sample.xn, 1)} nm` + (has(sample.sm) ? `, Stokes shift ${fixed(sample.sm, 0)} meV` : ""));
  if (sample.t) lines.push(sample.t);
  if (has(sample.hf)) lines.push(`${D.mix.name} ${fixed(sample.hf, 2)} (${fixed(sample.hl, 2)} to ${fixed(sample.hh, 2)})`);
  if (sample.pw !== null) lines.push(`platelet weight ${fixed(sample.pw, 2)}`);
  D.vars.forEach((v, k) => { const r = sample.r && sample.r[k]; if (r !== null && r !== undefined && lines.length < 12) lines.push(`${v.t}: ${typeof r === "number" ? plain(r) : r}`); });
  for (const line of lines) { tip.appendChild(document.createTextNode(line)); tip.appendChild(document.createElement("br")); }
  tip.hidden = false;
  const wide = document.documentElement.clientWidth;
  tip.style.left = Math.min(x + 14, window.scrollX + wide - tip.offsetWidth - 8) + "px";
  tip.style.top = (y + 14) + "px";
}
const hideTip = () => { tip.hidden = true; };
function jump(sample) { hideTip(); location.hash = sample.id; }
function interactive(group, dots) {
  /* one stop for the Tab key; arrow keys walk through the dots in order of the horizontal axis */
  dots.sort((a, b) => a.x - b.x);
  dots.forEach((dot, k) => {
    dot.node.setAttribute("tabindex", k ? "-1" : "0");
    dot.node.setAttribute("role", "link");
    dot.node.setAttribute("aria-label", dot.sample.l + (dot.sample.p !== null ? ", peak " + fixed(dot.sample.p, 1) + " nm" : ", no spectrum"));
    const at = event => showTip(dot.sample, event.pageX, event.pageY);
    dot.node.addEventListener("pointerenter", at);
    dot.node.addEventListener("pointerleave", hideTip);
    dot.node.addEventListener("click", () => jump(dot.sample));
    dot.node.addEventListener("focus", () => {
      const box = dot.node.getBoundingClientRect();
      showTip(dot.sample, box.right + window.scrollX, box.bottom + window.scrollY);
    });
    dot.node.addEventListener("blur", hideTip);
    dot.node.addEventListener("keydown", event => {
      const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
      if (step) {
        const next = dots[(k + step + dots.length) % dots.length].node;
        dot.node.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus({preventScroll: true});
        event.preventDefault();
      } else if (event.key === "Enter") jump(dot.sample);
    });
  });
}

/* ---- filter -------------------------------------------------------------------------------------------- */
const rows = [...document.querySelectorAll("#results tbody tr")];
const cards = [...document.querySelectorAll("#cards .card")];
const lonely = [...document.querySelectorAll(".lonely li")];
const words = new Map(D.s.map(s => [s.i, [s.l, s.f.join(" "), s.f.join(" ").replaceAll("-", " "), s.st, ...(s.r || []).map(v => v === null ? "" : String(v))].join(" ").toLowerCase()]));
const visible = new Set(D.s.map(s => s.i));
function filter() {
  const text = $("find").value.trim().toLowerCase(), status = $("status").value, flag = $("flag").value;
  visible.clear();
  for (const s of D.s) {
    if ((!text || words.get(s.i).includes(text)) && (!status || s.st === status) && (!flag || s.f.includes(flag))) visible.add(s.i);
  }
  for (const node of [...rows, ...cards, ...lonely]) node.hidden = !visible.has(Number(node.dataset.i));
  $("shown").textContent = `${visible.size} of ${D.s.length} samples`;
  $("nothing").hidden = visible.size > 0;
  for (const dot of document.querySelectorAll("svg .dot, svg .whisker")) dot.classList.toggle("dim", !visible.has(Number(dot.dataset.i)));
}
$("filter").addEventListener("input", filter);
$("filter").addEventListener("submit", event => event.preventDefault());

/* ---- table --------------------------------------------------------------------------------------------- */
document.querySelectorAll("#results thead th").forEach((head, column) => {
  head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    document.querySelectorAll("#results thead th").forEach(h => h.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => {
      const cell = row.children[column], text = cell.dataset.s !== undefined ? cell.dataset.s : cell.textContent.trim().replace("−", "-");
      return text === "" || text === "–" ? null : text;
    };
    const keyed = rows.map(row => [key(row), row]);
    const numeric = keyed.every(([k]) => k === null || !isNaN(Number(k)));
    keyed.sort(([a], [b]) => a === null ? (b === null ? 0 : 1) : b === null ? -1 :
      (numeric ? Number(a) - Number(b) : a.localeCompare(b, undefined, {numeric: true})) * (down ? -1 : 1));
    const body = document.querySelector("#results tbody");
    for (const [, row] of keyed) body.appendChild(row);
  });
});

/* ---- overview map -------------------------------------------------------------------------------------- */
const MEASURES = [
  {t: "emission peak (nm)", g: s => s.p}, {t: "emission peak (eV)", g: s => s.e}, {t: "width (meV)", g: s => s.w},
  {t: "width (nm)", g: s => s.wn}, {t: "edge of a cube (nm), 95 %", g: s => s.m, range: s => [s.lo, s.hi], arrows: true},
  {t: "platelet weight", g: s => s.pw}, {t: "PL quantum yield", g: s => s.q}, {t: "CIE x", g: s => s.x}, {t: "CIE y", g: s => s.y},
  {t: "signal to noise", g: s => s.snr}, {t: "first exciton (nm)", g: s => s.xn ?? null}, {t: "first exciton (eV)", g: s => s.xe ?? null},
  {t: "observed Stokes shift (meV)", g: s => s.sm ?? null}, ...(D.mix ? [{t: D.mix.name + ", 95 %", g: s => s.hf ?? null, range: s => [s.hl, s.hh]}] : []),
].filter(m => D.s.some(s => m.g(s) !== null));
const RECIPE = D.vars.map((v, k) => ({t: v.t, n: v.n, recipe: true, g: s => s.r ? s.r[k] : null}));
function options(select, list, chosen) {
  list.forEach((item, k) => { const o = document.createElement("option"); o.value = k; o.textContent = item.t; select.appendChild(o); });
  select.value = Math.max(chosen, 0);
}
const ACROSS = [...RECIPE, ...MEASURES], UP = MEASURES, COLOURS = [{t: "colour of the emission", own: true}, ...MEASURES, ...RECIPE];
if (UP.length) {
  options($("map-x"), ACROSS, RECIPE.length ? Math.max(D.first, 0) : Math.min(2, ACROSS.length - 1));
  options($("map-y"), UP, 0);
  options($("map-c"), COLOURS, 0);
  suggestLog();
  for (const id of ["map-y", "map-c", "map-logx"]) $(id).addEventListener("change", drawMap);
  $("map-x").addEventListener("change", () => { suggestLog(); drawMap(); });
}
function suggestLog() {
  const X = ACROSS[$("map-x").value], values = D.s.map(X.g).filter(v => typeof v === "number" && v > 0);
  $("map-logx").checked = Boolean(X.recipe && X.n && values.length && Math.max(...values) / Math.min(...values) > 30);
}
function drawMap() {
  const X = ACROSS[$("map-x").value], Y = UP[$("map-y").value], C = COLOURS[$("map-c").value];
  /* drawn at the width it is shown at, so that its words keep their size; a legend needs some width */
  const W = Math.max(C.own ? 320 : 460, Math.min(1100, $("map").clientWidth || 1100)), narrow = W < 700;
  const category = X.recipe && !X.n, kinds = category ? new Set(D.s.map(X.g).filter(v => v !== null)).size : 0;
  const slanted = category && (W - 130) / Math.max(kinds, 1) < 48;
  const H = narrow ? 420 : 520, left = 64, right = C.own ? 20 : 150, top = 14, bottom = slanted ? 92 : 46, band = 46;
  const root = svg($("map"), W, H);
  const withY = D.s.filter(s => Y.g(s) !== null), noX = withY.filter(s => X.g(s) === null), noY = D.s.filter(s => Y.g(s) === null && X.g(s) !== null);
  const logX = $("map-logx").checked && !category;
  const lost = logX ? withY.filter(s => X.g(s) !== null && X.g(s) <= 0) : [];
  const x0 = left + (noX.length + lost.length ? band : 0), x1 = W - right, y1 = H - bottom - (noY.length ? band - 16 : 0), y0 = top;
  const values = D.s.map(X.g).filter(v => v !== null && (!logX || v > 0));
  let px, labels = [];
  if (category) {
    const counts = new Map();
    for (const v of values) counts.set(v, (counts.get(v) || 0) + 1);
    const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
    const step = (x1 - x0) / Math.max(names.length, 1);
    px = (v, s) => x0 + (names.indexOf(v) + 0.5 + 0.6 * (scatter(s.i) - 0.5)) * step;
    labels = names.map((n, k) => [x0 + (k + 0.5) * step, n]);
  } else {
    let lo = Math.min(...values), hi = Math.max(...values);
    if (!isFinite(lo)) { lo = 0; hi = 1; }
    if (lo === hi) { lo = logX ? lo / 2 : lo - 1; hi = logX ? hi * 2 : hi + 1; }
    const f = logX ? Math.log10 : v => v, pad = 0.03 * (f(hi) - f(lo)), a = f(lo) - pad, b = f(hi) + pad;
    px = v => x0 + (f(v) - a) / (b - a) * (x1 - x0);
    labels = (logX ? logTicks(lo, hi) : ticks(lo, hi, narrow ? 4 : 8)).map(v => [px(v), plain(v)]);
  }
  const ys = withY.flatMap(s => Y.range ? Y.range(s).filter(v => v !== null) : [Y.g(s)]);
  let ylo = Math.min(...ys), yhi = Math.max(...ys);
  const ypad = 0.05 * (yhi - ylo || 1); ylo -= ypad; yhi += ypad;
  if (Y.range) ylo = Math.max(ylo, 0);
  const py = v => y1 - (v - ylo) / (yhi - ylo) * (y1 - y0);
  if (x0 > left) { el(root, "rect", {x: left, y: y0, width: band - 8, height: y1 - y0, class: "bandbox"}); el(root, "text", {x: left + band - 10, y: H - bottom + 16, "text-anchor": "end"}, X.recipe ? "no recipe" : "missing"); }
  if (noY.length) { el(root, "rect", {x: x0, y: H - bottom - band + 26, width: x1 - x0, height: band - 28, class: "bandbox"}); el(root, "text", {x: x0 - 6, y: H - bottom - 7, "text-anchor": "end", "font-size": 11}, noY.every(s => s.st === "no-spectrum") ? "no spectrum" : "missing"); }
  for (const v of ticks(ylo, yhi, 7)) { el(root, "line", {x1: x0, x2: x1, y1: py(v), y2: py(v), class: "grid"}); el(root, "text", {x: left - 8, y: py(v) + 4, "text-anchor": "end"}, plain(v)); }
  labels.forEach(([at, text], k) => {
    if (!category) el(root, "line", {x1: at, x2: at, y1: y0, y2: y1, class: "grid"});
    if (slanted) el(root, "text", {x: at + 4, y: H - bottom + 12, "text-anchor": "end", transform: `rotate(-50 ${at + 4} ${H - bottom + 12})`}, text);
    else el(root, "text", {x: at, y: H - bottom + (category && labels.length > 14 && k % 2 ? 28 : 16), "text-anchor": "middle"}, text);
  });
  el(root, "path", {d: `M${x0} ${y0}V${y1}H${x1}`, class: "axis"});
  el(root, "text", {x: (x0 + x1) / 2, y: H - 3, "text-anchor": "middle", class: "title"}, X.t);
  el(root, "text", {x: 14, y: (y0 + y1) / 2, "text-anchor": "middle", class: "title", transform: `rotate(-90 14 ${(y0 + y1) / 2})`}, Y.t);
  const colour = colourScale(C, root, x1 + 22, y0 + 8);
  const group = el(root, "g", {}), dots = [];
  for (const s of D.s) {
    const x = X.g(s), y = Y.g(s);
    if (x === null && y === null) continue;
    const outside = x === null || (logX && x <= 0);
    const cx = outside ? left + 6 + scatter(s.i) * (band - 20) : px(x, s);
    const cy = y === null ? H - bottom - band + 31 + scatter(s.i + 7) * (band - 38) : py(y);
    const [below, above] = y !== null && Y.range ? Y.range(s) : [y, y];
    if (y !== null && Y.range) {
      const faint = visible.has(s.i) ? "whisker" : "whisker dim";
      el(group, "line", {x1: cx, x2: cx, y1: py(below), y2: above === null ? Math.max(y0, py(below) - 26) : py(above), class: faint, "data-i": s.i});
      if (above === null) el(group, "path", {d: `M${cx - 3} ${Math.max(y0, py(below) - 22)}l3 -5l3 5`, class: faint, fill: "none", "data-i": s.i});
    }
    const at = above === null && y !== null ? py(below) : cy;
    const node = el(group, "circle", {cx, cy: at, r: 4.2, class: "dot" + (y === null ? " hollow" : ""), "data-i": s.i});
    if (y !== null) node.setAttribute("fill", colour(s));
    if (!visible.has(s.i)) node.classList.add("dim");
    dots.push({node, sample: s, x: cx});
  }
  interactive(group, dots);
  const notes = [`${withY.length - noX.length - lost.length} samples on the map`];
  if (noX.length) notes.push(`${noX.length} without a value of “${X.t}” in the band at the left`);
  if (lost.length) notes.push(`${lost.length} with zero, which a logarithm cannot show, in the same band`);
  if (noY.length) notes.push(`${noY.length} without “${Y.t}” in the band below`);
  if (Y.range) notes.push("bars are 95 % intervals" + (Y.arrows ? ", an arrow marks a lower bound" : ""));
  $("map-caption").textContent = notes.join("; ") + ".";
}
function scatter(i) { const v = Math.sin((i + 1) * 12.9898) * 43758.5453; return v - Math.floor(v); }
function colourScale(C, root, x, y) {
  if (C.own) return s => s.c || "#999";
  const values = D.s.map(C.g).filter(v => v !== null);
  el(root, "text", {x, y, class: "strong"}, C.t.length > 20 ? C.t.slice(0, 19) + "…" : C.t);
  if (C.recipe && !C.n) {
    const counts = new Map();
    for (const v of values) counts.set(v, (counts.get(v) || 0) + 1);
    const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)), shown = names.slice(0, names.length > 8 ? 7 : 8);
    shown.forEach((n, k) => { el(root, "circle", {cx: x + 5, cy: y + 18 + 18 * k, r: 5, fill: SET[k]}); el(root, "text", {x: x + 16, y: y + 22 + 18 * k}, n); });
    if (names.length > shown.length) { el(root, "circle", {cx: x + 5, cy: y + 18 + 18 * shown.length, r: 5, fill: SET[7]}); el(root, "text", {x: x + 16, y: y + 22 + 18 * shown.length}, `${names.length - shown.length} others`); }
    return s => C.g(s) === null ? "#9993" : SET[shown.indexOf(C.g(s)) < 0 ? 7 : shown.indexOf(C.g(s))];
  }
  const sorted = [...values].sort((a, b) => a - b), at = q => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  const wide = C.recipe && sorted[0] > 0 && sorted[sorted.length - 1] / sorted[0] > 30, f = wide ? Math.log10 : v => v;
  const lo = f(at(0.01)), hi = f(at(0.99)) > lo ? f(at(0.99)) : lo + 1;
  for (let k = 0; k < 40; k++) el(root, "rect", {x, y: y + 10 + 4 * k, width: 14, height: 4.4, fill: ramp(1 - k / 39)});
  for (const [t, v] of [[0, hi], [0.5, (lo + hi) / 2], [1, lo]]) el(root, "text", {x: x + 20, y: y + 16 + 156 * t}, plain(Number((wide ? 10 ** v : v).toPrecision(3))));
  return s => C.g(s) === null ? "#9993" : ramp((f(C.g(s)) - lo) / (hi - lo));
}

/* ---- chromaticity diagrams ----------------------------------------------------------------------------- */
function drawCie(host, locus, triangle, gx, gy, xmax, ymax, names) {
  const W = Math.max(320, Math.min(520, host.clientWidth || 520)), left = 46, bottom = 40, right = 12, top = 10;
  const scale = (W - left - right) / xmax, H = ymax * scale + top + bottom;
  const px = v => left + v * scale, py = v => H - bottom - v * scale;
  const root = svg(host, W, H);
  for (const v of ticks(0, xmax - 0.001, 7)) { el(root, "line", {x1: px(v), x2: px(v), y1: py(0), y2: py(ymax), class: "grid"}); el(root, "text", {x: px(v), y: py(0) + 16, "text-anchor": "middle"}, plain(v)); }
  for (const v of ticks(0, ymax - 0.001, 7)) { el(root, "line", {x1: px(0), x2: px(xmax), y1: py(v), y2: py(v), class: "grid"}); if (v) el(root, "text", {x: left - 7, y: py(v) + 4, "text-anchor": "end"}, plain(v)); }
  el(root, "path", {d: path(locus.map(p => px(p[1])), locus.map(p => py(p[2]))) + "Z", class: "axis", "stroke-width": 1.4});
  for (const [nm, x, y] of locus) if ([460, 480, 490, 500, 510, 520, 540, 560, 580, 600, 620].includes(nm)) {
    el(root, "circle", {cx: px(x), cy: py(y), r: 1.8, fill: "currentColor"});
    const away = nm < 505 ? [-6, 4, "end"] : nm < 525 ? [0, -7, "middle"] : [7, 0, "start"];
    /* in u', v' these stand where the numbers of the axis are */
    if (names[0] === "x" || !(W < 420 ? [490, 500, 510] : [500, 510]).includes(nm)) el(root, "text", {x: px(x) + away[0], y: py(y) + away[1], "text-anchor": away[2], "font-size": 10.5}, nm);
  }
  el(root, "path", {d: path(triangle.map(p => px(p[0])), triangle.map(p => py(p[1]))) + "Z", fill: "none", stroke: "var(--accent)", "stroke-width": 1.3, "stroke-dasharray": "5 3"});
  const middle = [0, 1].map(k => triangle.reduce((a, p) => a + p[k], 0) / 3);
  el(root, "text", {x: px(middle[0]), y: py(middle[1]), "text-anchor": "middle"}, "Rec. 2020");
  const dots = [];
  for (const s of D.s) if (gx(s) !== null) {
    const node = el(root, "circle", {cx: px(gx(s)), cy: py(gy(s)), r: 3.4, fill: s.c || "#999", class: "dot", "data-i": s.i});
    if (!visible.has(s.i)) node.classList.add("dim");
    dots.push({node, sample: s, x: s.p === null ? 0 : s.p});
  }
  interactive(root, dots);
  el(root, "text", {x: px(xmax / 2), y: H - 4, "text-anchor": "middle", class: "title"}, names[0]);
  el(root, "text", {x: 12, y: py(ymax / 2), "text-anchor": "middle", class: "title", transform: `rotate(-90 12 ${py(ymax / 2)})`}, names[1]);
}

/* ---- size against Stokes shift ------------------------------------------------------------------------- */
function drawDegeneracy() {
  const d = D.deg, W = Math.max(320, Math.min(520, $("degeneracy").clientWidth || 520)), H = 330, left = 56, right = 12, top = 12, bottom = 42;
  const root = svg($("degeneracy"), W, H), lo = -0.1, hi = 0.3;
  const px = v => left + (v - d.edge[0]) / (d.edge[d.edge.length - 1] - d.edge[0]) * (W - left - right);
  const py = v => H - bottom - (v - lo) / (hi - lo) * (H - top - bottom);
  const clip = el(el(root, "defs", {}), "clipPath", {id: "deg-clip"});
  el(clip, "rect", {x: left, y: top, width: W - left - right, height: H - top - bottom});
  el(root, "rect", {x: left, width: W - left - right, y: py(d.prior[1]), height: py(d.prior[0]) - py(d.prior[1]), fill: "var(--band)"});
  el(root, "text", {x: W - right - 6, y: py(d.prior[1]) + 14, "text-anchor": "end"}, "prior of the Stokes shift");
  for (const v of ticks(lo, hi, 6)) { el(root, "line", {x1: left, x2: W - right, y1: py(v), y2: py(v), class: "grid"}); el(root, "text", {x: left - 7, y: py(v) + 4, "text-anchor": "end"}, String(Math.round(1000 * v)).replace("-", "−")); }
  for (const v of ticks(d.edge[0], d.edge[d.edge.length - 1], 7)) el(root, "text", {x: px(v), y: H - bottom + 16, "text-anchor": "middle"}, plain(v));
  const inner = el(root, "g", {"clip-path": "url(#deg-clip)"});
  d.sets.forEach((set, k) => {
    const xs = d.edge.map(px), c = SET[k % SET.length];
    el(inner, "path", {d: path([...xs, ...[...xs].reverse()], [...set.low.map(py), ...[...set.high].reverse().map(py)]) + "Z", fill: c, opacity: 0.16});
    el(inner, "path", {d: path(xs, set.mid.map(py)), fill: "none", stroke: c, "stroke-width": 2, "stroke-dasharray": ["", "7 3", "2 3"][k % 3]});
    el(root, "line", {x1: W - 190, x2: W - 164, y1: top + 12 + 17 * k, y2: top + 12 + 17 * k, stroke: c, "stroke-width": 2, "stroke-dasharray": ["", "7 3", "2 3"][k % 3]});
    el(root, "text", {x: W - 158, y: top + 16 + 17 * k}, set.name);
  });
  el(root, "path", {d: `M${left} ${top}V${H - bottom}H${W - right}`, class: "axis"});
  el(root, "text", {x: (left + W - right) / 2, y: H - 4, "text-anchor": "middle", class: "title"}, "edge length of a cube (nm)");
  el(root, "text", {x: 13, y: H / 2, "text-anchor": "middle", class: "title", transform: `rotate(-90 13 ${H / 2})`}, "Stokes shift (meV)");
}

/* ---- cards --------------------------------------------------------------------------------------------- */
const blob = decode(D.blob, Uint16Array), grids = D.grids.map(text => decode(text, Float32Array));
const edges = D.edge ? decode(D.edge, Float32Array) : null;
const slice = (offset, n, lo, hi) => Float64Array.from(blob.subarray(offset, offset + n), q => lo + q / 65535 * (hi - lo));
function drawCard(card) {
  const i = Number(card.dataset.i), s = D.s[i], c = D.curves[i];
  if (c && (c.o !== undefined || c.a)) drawSpectrum(card.querySelector(".spectrum"), s, c);
  if (c && c.d !== undefined) drawPosterior(card.querySelector(".posterior"), s, c);
  if (c && c.j) drawPlane(card.querySelector(".plane"), s, c.j, 400, 230);
  card.dataset.drawn = $("axis").value;
}
function drawSpectrum(host, s, c) {
  const perEv = $("axis").value === "ev", W = 400, H = 276, left = 12, right = 12, top = 30, main = 168, gap = 8, rest = 32, x0 = left, x1 = W - right;
  const there = v => perEv ? v : D.hc / v, pl = c.o === undefined ? null : emission(c, perEv), ab = c.a ? absorbance(c.a, perEv) : null;
  /* the line, and the first exciton with some of the absorbance beyond it */
  const ends = pl ? [pl.a, pl.b] : [], x = ab && has(c.a.x) ? c.a.x : null;
  if (x !== null) ends.push(...(pl ? [x - 0.05, x + 0.12] : [x - 0.3, x + 0.4]).map(there));
  else if (!pl) ends.push(ab.at[0], ab.at[ab.at.length - 1]);
  const a = Math.min(...ends), b = Math.max(...ends);
  const px = v => x0 + (v - a) / (b - a) * (x1 - x0), scaled = v => top + main - (v * 0.94 + 0.03) * main;
  const root = svg(host, W, H);
  for (const v of ticks(a, b, 5)) { el(root, "line", {x1: px(v), x2: px(v), y1: top, y2: top + main, class: "grid"}); el(root, "text", {x: px(v), y: H - 22, "text-anchor": "middle"}, plain(v)); }
  const other = v => D.hc / v;
  for (const v of ticks(Math.min(other(a), other(b)), Math.max(other(a), other(b)), 4)) { const at = px(other(v)); el(root, "line", {x1: at, x2: at, y1: top, y2: top - 4, class: "axis"}); el(root, "text", {x: at, y: top - 7, "text-anchor": "middle"}, plain(v)); }
  el(root, "text", {x: x1, y: H - 5, "text-anchor": "end", class: "title"}, perEv ? "photon energy (eV)" : "wavelength (nm)");
  el(root, "text", {x: x1, y: 11, "text-anchor": "end", class: "title"}, perEv ? "wavelength (nm)" : "photon energy (eV)");
  el(root, "text", {x: x0, y: 11, class: "title"}, !pl ? "absorbance" : perEv ? "signal per eV" : "signal as recorded");
  el(root, "path", {d: `M${x0} ${top}H${x1}V${top + main}H${x0}Z`, class: "axis"});
  if (ab) {
    const shown = ab.at.map((v, k) => k).filter(k => ab.at[k] >= a && ab.at[k] <= b), seen = shown.map(k => ab.values[k]);
    const low = Math.min(0, ...seen), high = Math.max(...seen, low + 1e-9), py = v => scaled((v - low) / (high - low));
    el(root, "path", {d: path(shown.map(k => px(ab.at[k])), seen.map(py)), fill: "none", stroke: "var(--abs)", "stroke-width": 1.5});
    if (ab.scatter) el(root, "path", {d: path(shown.map(k => px(ab.at[k])), shown.map(k => py(ab.scatter[k]))), fill: "none", stroke: "var(--abs)", "stroke-width": 1, "stroke-dasharray": "2 3"});
    if (x !== null) {
      const near = shown.reduce((m, k) => Math.abs(ab.at[k] - there(x)) < Math.abs(ab.at[m] - there(x)) ? k : m, shown[0]), y = py(ab.values[near]);
      el(root, "path", {d: `M${px(there(x))} ${y - 9}v18M${px(there(x - c.a.sx))} ${y}H${px(there(x + c.a.sx))}`, stroke: "var(--abs)", "stroke-width": 2, fill: "none"});
    }
  }
  if (!pl) return;
  const {n, density, guide, fit, coordinate, most} = pl;
  let first = 0, last = n - 1;
  while (first < n - 2 && (coordinate(first) < a || coordinate(first) > b)) first++;
  while (last > first + 1 && (coordinate(last) < a || coordinate(last) > b)) last--;
  const pick = [], stride = Math.max(1, Math.ceil((last - first) / 420));
  for (let k = first; k <= last; k += stride) pick.push(k);
  /* what lies below the baseline stays inside the frame */
  const least = Math.min(0, ...pick.map(k => density[k])), py = v => scaled((v - least) / (most - least));
  if (least < -0.02 * most) el(root, "path", {d: `M${x0} ${py(0)}H${x1}`, class: "grid"});
  for (const part of pl.parts) el(root, "path", {d: path(pick.map(k => px(coordinate(k))), pick.map(k => py(part(k)))), fill: "none", stroke: "var(--part)", "stroke-width": 1, "stroke-dasharray": "4 3"});
  el(root, "path", {d: pick.map(k => `M${px(coordinate(k)).toFixed(1)} ${py(density[k]).toFixed(1)}h0`).join(""), stroke: "var(--data)", "stroke-width": 3, "stroke-linecap": "round", fill: "none"});
  if (fit) el(root, "path", {d: path(pick.map(k => px(coordinate(k))), pick.map(k => py(guide[k]))), fill: "none", stroke: "var(--fit)", "stroke-width": 1.6});
  if (perEv && s.e !== null) {
    el(root, "line", {x1: px(s.e), x2: px(s.e), y1: py(most) - 4, y2: py(most) + 8, stroke: "var(--half)", "stroke-width": 2});
    const h = c.h || [];
    if (h.length === 2) { const y = py(most / 2); el(root, "path", {d: `M${px(h[0])} ${y - 5}v10M${px(h[1])} ${y - 5}v10M${px(h[0])} ${y}H${px(h[1])}`, stroke: "var(--half)", "stroke-width": 1.5, fill: "none"}); }
  }
  if (fit) {
    const y0 = top + main + gap, mid = y0 + rest / 2, misfit = pick.map(k => density[k] - guide[k]), worst = Math.max(...misfit.map(Math.abs)) || 1;
    el(root, "path", {d: `M${x0} ${mid}H${x1}`, class: "grid"});
    el(root, "path", {d: path(pick.map(k => px(coordinate(k))), misfit.map(v => mid - v / worst * rest / 2)), fill: "none", stroke: "var(--data)", "stroke-width": 1});
    el(root, "text", {x: x0, y: H - 5, "font-size": 11}, `residual, ±${Number((100 * worst / most).toPrecision(2))} % of the maximum`);
  }
}
function emission(c, perEv) {
  /* counts per nm times lambda^2/hc are counts per eV; records per eV or cm-1 are already of that kind */
  const nm = grids[c.g], n = nm.length, factor = perEv && c.u === "nm" ? k => nm[k] * nm[k] / D.hc : () => 1;
  const base = c.bo !== undefined ? slice(c.bo, n, c.lo, c.hi) : null;
  const lift = (curve, k) => (curve[k] - (base ? base[k] : c.b)) * factor(k);
  const values = slice(c.o, n, c.lo, c.hi), fit = c.f !== undefined ? slice(c.f, n, c.lo, c.hi) : null;
  /* the part of the record around the line: where it exceeds 1.5 % of its maximum, and a margin */
  const density = Array.from({length: n}, (_, k) => lift(values, k)), most = Math.max(...density) || 1;
  let first = 0, last = n - 1;
  const guide = fit ? Array.from({length: n}, (_, k) => lift(fit, k)) : density;
  const limit = 0.015 * Math.max(...guide);
  while (first < n - 2 && guide[first] < limit) first++;
  while (last > 1 && guide[last] < limit) last--;
  const margin = Math.round(0.35 * (last - first)) + 2;
  first = Math.max(0, first - margin); last = Math.min(n - 1, last + margin);
  const coordinate = k => perEv ? D.hc / nm[k] : nm[k];
  const parts = (c.p || []).map(offset => { const part = slice(offset, n, c.lo, c.hi); return k => lift(part, k); });
  return {n, density, guide, fit, parts, coordinate, most, a: Math.min(coordinate(first), coordinate(last)), b: Math.max(coordinate(first), coordinate(last))};
}
function absorbance(a, perEv) {
  const nm = grids[a.g], n = nm.length;
  return {at: Array.from(nm, v => perEv ? D.hc / v : v), values: slice(a.o, n, a.lo, a.hi), scatter: a.s === undefined ? null : slice(a.s, n, a.lo, a.hi)};
}
/* ---- the plane of size and composition ------------------------------------------------------------------ */
const planes = D.mix ? decode(D.mix.blob, Uint8Array) : null;
function drawPlane(host, s, j, W, H) {
  const {edge, x} = D.mix, n = edge.length, left = 44, right = 12, top = 12, bottom = 40, root = svg(host, W, H);
  const la = Math.log(edge[0]), lb = Math.log(edge[n - 1]);
  const px = v => left + (Math.log(v) - la) / (lb - la) * (W - left - right), py = v => H - bottom - v * (H - top - bottom);
  const at = (row, column) => planes[j[0] + row * n + column] / 255;
  for (const v of [3, 5, 7, 10, 15, 20, 30, 50]) if (v >= edge[0] && v <= edge[n - 1]) { el(root, "line", {x1: px(v), x2: px(v), y1: top, y2: H - bottom, class: "grid"}); el(root, "text", {x: px(v), y: H - bottom + 15, "text-anchor": "middle"}, v); }
  for (const v of [0, 0.2, 0.4, 0.6, 0.8, 1]) { el(root, "line", {x1: left, x2: W - right, y1: py(v), y2: py(v), class: "grid"}); el(root, "text", {x: left - 6, y: py(v) + 4, "text-anchor": "end"}, plain(v)); }
  /* the part of every cell that lies above the level, its border found by linear interpolation */
  for (const [level, opacity] of [[j[1], 0.28], [j[2], 0.62]]) {
    let d = "";
    for (let r = 0; r + 1 < x.length; r++) for (let k = 0; k + 1 < n; k++) {
      const corners = [[r, k], [r, k + 1], [r + 1, k + 1], [r + 1, k]].map(([p, q]) => [px(edge[q]), py(x[p]), at(p, q)]);
      if (corners.every(c => c[2] < level)) continue;
      const points = [];
      corners.forEach((one, m) => {
        const next = corners[(m + 1) % 4];
        if (one[2] >= level) points.push([one[0], one[1]]);
        if ((one[2] >= level) !== (next[2] >= level)) { const f = (level - one[2]) / (next[2] - one[2]); points.push([one[0] + f * (next[0] - one[0]), one[1] + f * (next[1] - one[1])]); }
      });
      d += "M" + points.map(p => p[0].toFixed(1) + " " + p[1].toFixed(1)).join("L") + "Z";
    }
    el(root, "path", {d, fill: "var(--accent)", opacity, "shape-rendering": "crispEdges"});
  }
  el(root, "path", {d: `M${left} ${top}V${H - bottom}H${W - right}`, class: "axis"});
  if (has(s.hf) && s.m !== null) el(root, "path", {d: `M${px(s.m) - 5} ${py(s.hf)}h10M${px(s.m)} ${py(s.hf) - 5}v10`, stroke: "var(--fit)", "stroke-width": 1.5});
  el(root, "text", {x: W - right, y: H - 6, "text-anchor": "end", class: "title"}, "edge of a cube (nm)");
  el(root, "text", {x: 12, y: (top + H - bottom) / 2, "text-anchor": "middle", class: "title", transform: `rotate(-90 12 ${(top + H - bottom) / 2})`}, D.mix.name);
}
function drawPosterior(host, s, c) {
  const n = edges.length, W = 260, H = 276, left = 10, right = 10, top = 22, bottom = 82, x0 = left, x1 = W - right, y1 = H - bottom;
  const density = slice(c.d, n, 0, 1), root = svg(host, W, H);
  /* the axis is logarithmic, so the curve is the probability per logarithm of the edge */
  const height = Array.from(density, (v, k) => v * edges[k]), most = Math.max(...height) || 1;
  const la = Math.log(edges[0]), lb = Math.log(edges[n - 1]);
  const px = v => x0 + (Math.log(v) - la) / (lb - la) * (x1 - x0), py = v => y1 - v / most * (y1 - top) * 0.95;
  for (const v of [3, 5, 7, 10, 15, 20, 30, 50]) if (v >= edges[0] && v <= edges[n - 1]) { el(root, "line", {x1: px(v), x2: px(v), y1: top, y2: y1, class: "grid"}); el(root, "text", {x: px(v), y: y1 + 15, "text-anchor": "middle"}, v); }
  const hi = s.hi === null ? edges[n - 1] : s.hi, xs = [], ys = [];
  for (let k = 0; k < n; k++) if (edges[k] >= s.lo && edges[k] <= hi) { xs.push(px(edges[k])); ys.push(py(height[k])); }
  if (xs.length) el(root, "path", {d: `M${xs[0]} ${y1}` + path(xs, ys).replace("M", "L") + `L${xs[xs.length - 1]} ${y1}Z`, fill: "var(--band)"});
  el(root, "path", {d: path(Array.from(edges, px), height.map(py)), fill: "none", stroke: "var(--accent)", "stroke-width": 1.8});
  el(root, "line", {x1: x0, x2: x1, y1, y2: y1, class: "axis"});
  el(root, "line", {x1: px(s.lo), x2: px(s.lo), y1: top, y2: y1, stroke: "var(--accent)", "stroke-dasharray": "3 3"});
  if (s.hi !== null) { el(root, "line", {x1: px(s.hi), x2: px(s.hi), y1: top, y2: y1, stroke: "var(--accent)", "stroke-dasharray": "3 3"}); el(root, "path", {d: `M${px(s.m)} ${y1}v-7`, stroke: "var(--fit)", "stroke-width": 2.5}); }
  else el(root, "path", {d: `M${px(s.lo)} ${top + 4}H${x1 - 2}m-6 -4l6 4l-6 4`, stroke: "var(--accent)", fill: "none"});
  el(root, "text", {x: x0, y: 11, class: "title"}, s.hi === null ? "lower bound, 95 %" : "edge, 95 % interval");
  el(root, "text", {x: x1, y: y1 + 31, "text-anchor": "end", class: "title"}, "edge of a cube (nm)");
  if (s.pw !== null) {
    const y = H - 22, split = x0 + s.pw * (x1 - x0);
    el(root, "rect", {x: x0, y, width: x1 - x0, height: 9, fill: "var(--grid)"});
    el(root, "rect", {x: x0, y, width: Math.max(0, split - x0), height: 9, fill: "var(--fit)"});
    el(root, "text", {x: x0, y: y - 5}, "platelets " + percent(s.pw));
    el(root, "text", {x: x1, y: y - 5, "text-anchor": "end"}, "cubes " + percent(1 - s.pw));
  }
}
const percent = w => w < 0.01 ? "< 1 %" : w > 0.99 ? "> 99 %" : Math.round(100 * w) + " %";
const near = new Set();
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (entry.isIntersecting) { near.add(entry.target); if (entry.target.dataset.drawn !== $("axis").value) drawCard(entry.target); }
    else near.delete(entry.target);
  }
}, {rootMargin: "600px"});
cards.forEach(card => watcher.observe(card));
$("axis").addEventListener("change", () => near.forEach(drawCard));
window.addEventListener("beforeprint", () => cards.forEach(card => { if (!card.hidden && card.dataset.drawn !== $("axis").value) drawCard(card); }));

/* a hidden target (filtered away) is shown when someone jumps to it */
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.hidden) { $("filter").reset(); filter(); target.scrollIntoView(); }
});

function drawFigures() {
  if (UP.length) drawMap();
  if (D.cie) {
    drawCie($("cie-xy"), D.cie.xy, D.cie.rec2020xy, s => s.x, s => s.y, 0.76, 0.86, ["x", "y"]);
    drawCie($("cie-uv"), D.cie.uv, D.cie.rec2020uv, s => s.u, s => s.v, 0.64, 0.62, ["u′", "v′"]);
  }
  if (D.deg) drawDegeneracy();
}
drawFigures();
let drawnWidth = document.documentElement.clientWidth, resized;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => { if (document.documentElement.clientWidth !== drawnWidth) { drawnWidth = document.documentElement.clientWidth; drawFigures(); } }, 150);
});
if (D.mix && D.mix.i !== null && $("mixed")) drawPlane($("mixed"), D.s[D.mix.i], D.curves[D.mix.i].j, 520, 360);
})();
