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
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9); k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}
const plain = v => v === 0 ? "0" : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-2 ? v.toExponential(1).replace("e+", "e") : String(Number(v.toPrecision(3)));

/* one panel: x fixed, y scaled to the largest value of all times, so that growth is seen as growth */
function panel(host, title, xs, series, labels) {
  if (!host) return null;
  const top = Math.max(1e-300, ...series.flat().map(one => Math.max(...one)));
  const x = v => L + (v - xs[0]) / (xs[xs.length - 1] - xs[0]) * (W - L - R), y = v => H - B - Math.max(v, -0.03 * top) / (1.05 * top) * (H - B - T);
  const root = el(host, "svg", {viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": title});
  for (const t of ticks(xs[0], xs[xs.length - 1], 6)) {
    el(root, "line", {class: "grid", x1: x(t), x2: x(t), y1: T, y2: H - B});
    el(root, "text", {x: x(t), y: H - B + 14, "text-anchor": "middle", "font-size": 11}, plain(t));
  }
  for (const t of ticks(0, top, 4)) el(root, "text", {x: L - 5, y: y(t) + 4, "text-anchor": "end", "font-size": 11}, plain(t));
  el(root, "line", {class: "axis", x1: L, x2: W - R, y1: H - B, y2: H - B});
  el(root, "text", {x: (L + W - R) / 2, y: H - 5, "text-anchor": "middle", "font-size": 11}, labels[0]);
  el(root, "text", {x: 12, y: (T + H - B) / 2, "text-anchor": "middle", "font-size": 11, transform: `rotate(-90 12 ${(T + H - B) / 2})`}, labels[1]);
  const d = ys => ys.map((v, k) => (k ? "L" : "M") + x(xs[k]).toFixed(1) + " " + y(v).toFixed(1)).join("");
  series.forEach(one => el(root, "path", {d: d(one[one.length - 1]), fill: "none", stroke: "#9aa3ab", "stroke-width": 1}));
  const lines = series.map((_, k) => el(root, "path", {fill: "none", stroke: SET[k % SET.length], "stroke-width": 1.8}));
  return i => lines.forEach((line, k) => line.setAttribute("d", d(series[k][i])));
}
const shown = [panel($("sizes"), "Size distribution at the time of the slider", D.edge, [D.size], ["edge (nm)", "yield per nm (%)"])];
if (D.pl) shown.push(panel($("light"), "PL at the time of the slider", D.nm, D.pl, ["wavelength (nm)", "PL (1/nm)"]));
if (D.a) shown.push(panel($("dark"), "Absorbance at the time of the slider", D.nm, D.a, ["wavelength (nm)", "absorbance"]));
const when = $("when"), now = $("now"), play = $("play");
when.max = D.t.length - 1;
function show(i) {
  shown.forEach(draw => draw && draw(i));
  const mean = D.mean[i], cv = D.cv[i];
  now.textContent = `${plain(D.t[i])} s: ` + (mean === null ? "no crystals" : `mean edge ${mean.toFixed(2)} nm, spread ${(100 * cv).toFixed(1)} %`);
  when.setAttribute("aria-valuetext", now.textContent);
}
when.addEventListener("input", () => show(Number(when.value)));
let timer = null;
function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
play.addEventListener("click", () => {
  if (timer) { stop(); return; }
  if (Number(when.value) >= D.t.length - 1) when.value = 0;
  play.textContent = "Pause";
  timer = setInterval(() => {
    const next = Number(when.value) + 1;
    if (next >= D.t.length) { stop(); return; }
    when.value = next;
    show(next);
  }, 120);
});
when.value = D.t.length - 1;
show(D.t.length - 1);
})();
