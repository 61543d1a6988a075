"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg", W = 440, H = 270, L = 52, R = 12, T = 12, B = 38;
const SET = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"];
function el(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9); k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}
function decades(low, high) {
  const steps = high - low < 1.3 ? [1, 2, 3, 5] : [1], out = [];
  for (let k = Math.floor(low); k <= high; k++) for (const s of steps) if (Math.log10(s) + k >= low && Math.log10(s) + k <= high) out.push(s * 10 ** k);
  return out;
}
const plain = v => v === 0 ? "0" : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-2 ? v.toExponential(1).replace("e+", "e") : String(Number(v.toPrecision(3)));

/* one panel: x fixed, y scaled to the largest value of all places, so that growth is seen as growth; with
   `own`, to that of the place: narrow distributions would hide all others */
function panel({id, title, x: xs, y: series, axes, names, log, own}) {
  const host = $(id);
  if (!host) return null;
  const topOf = rows => Math.max(1e-300, ...rows.map(one => Math.max(...one)));
  let top = topOf(series.flat());
  const f = log ? Math.log10 : v => v, low = names ? -0.5 : f(xs[0]), high = names ? xs.length - 0.5 : f(xs[xs.length - 1]);
  const x = v => L + (f(v) - low) / (high - low) * (W - L - R), y = v => H - B - Math.min(Math.max(v / top, -0.03), 1.05) / 1.05 * (H - B - T);
  const root = el(host, "svg", {viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title} at the place of the slider`});
  const label = (at, text) => el(root, "text", {x: at, y: H - B + 14, "text-anchor": "middle", "font-size": 11}, text);
  if (names) names.forEach((name, k) => label(x(k), name.replace(" ML", "")));
  else for (const t of log ? decades(low, high) : ticks(low, high, 6)) {
    el(root, "line", {class: "grid", x1: x(t), x2: x(t), y1: T, y2: H - B});
    label(x(t), plain(t));
  }
  const scale = el(root, "g", {});
  const rescale = () => {
    scale.replaceChildren();
    for (const t of top > 1e-299 ? ticks(0, top, 4) : [0]) el(scale, "text", {x: L - 5, y: y(t) + 4, "text-anchor": "end", "font-size": 11}, plain(t));
  };
  rescale();
  el(root, "line", {class: "axis", x1: L, x2: W - R, y1: H - B, y2: H - B});
  el(root, "text", {x: (L + W - R) / 2, y: H - 5, "text-anchor": "middle", "font-size": 11}, axes[0]);
  el(root, "text", {x: 12, y: (T + H - B) / 2, "text-anchor": "middle", "font-size": 11, transform: `rotate(-90 12 ${(T + H - B) / 2})`}, axes[1]);
  const half = names ? 0.35 * (x(1) - x(0)) : 0;
  const curve = ys => ys.map((v, k) => (k ? "L" : "M") + x(xs[k]).toFixed(1) + " " + y(v).toFixed(1)).join("");
  const bars = ys => ys.map((v, k) => `M${(x(k) - half).toFixed(1)} ${y(0).toFixed(1)}V${y(v).toFixed(1)}h${(2 * half).toFixed(1)}V${y(0).toFixed(1)}`).join("");
  const d = names ? bars : curve;
  const last = series.map(one => el(root, "path", {d: d(one[one.length - 1]), fill: "none", stroke: "#9aa3ab", "stroke-width": 1}));
  const lines = series.map((_, k) => el(root, "path", {fill: names ? SET[k] : "none", stroke: SET[k % SET.length], "stroke-width": names ? 0 : 1.8}));
  if (names) last.forEach(one => root.appendChild(one));
  return i => {
    if (own) {
      const here = topOf(series.map(one => one[i]));
      if (here > 1e-299) { top = here; rescale(); }
      last.forEach((path, k) => path.setAttribute("d", d(series[k][series[k].length - 1])));
    }
    lines.forEach((line, k) => line.setAttribute("d", d(series[k][i])));
  };
}
const shown = D.panels.map(panel);
const when = $("when"), now = $("now"), play = $("play");
when.max = D.said.length - 1;
function show(i) {
  shown.forEach(draw => draw && draw(i));
  now.textContent = D.said[i];
  when.setAttribute("aria-valuetext", now.textContent);
}
when.addEventListener("input", () => show(Number(when.value)));
let timer = null;
function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
play.addEventListener("click", () => {
  if (timer) { stop(); return; }
  if (Number(when.value) >= D.said.length - 1) when.value = 0;
  play.textContent = "Pause";
  timer = setInterval(() => {
    const next = Number(when.value) + 1;
    if (next >= D.said.length) { stop(); return; }
    when.value = next;
    show(next);
  }, 120);
});
when.value = D.said.length - 1;
show(D.said.length - 1);
})();
