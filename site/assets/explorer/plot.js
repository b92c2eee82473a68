// Small plots as SVG: growth as a line, gaps as dots. Drawn in a fixed box that scales with the page.
const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 480, height: 150, left: 8, right: 8, top: 14, bottom: 22 };

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16);
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Where a point of data lies in the box. */
function scales(points, lowest, highest) {
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const width = BOX.width - BOX.left - BOX.right, height = BOX.height - BOX.top - BOX.bottom;
  return {
    x: (at) => BOX.left + (width * (at - first)) / Math.max(1, last - first),
    y: (value) => BOX.top + height - (height * (value - lowest)) / Math.max(1, highest - lowest),
  };
}

function frame(points, label) {
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const svg = draw("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": label });
  const base = BOX.height - BOX.bottom, words = last - first > 172800 ? day : clock;
  svg.append(draw("line", { class: "rule", x1: BOX.left, x2: BOX.width - BOX.right, y1: base, y2: base }));
  svg.append(draw("text", { x: BOX.left, y: BOX.height - 6 }, words(first)));
  svg.append(draw("text", { x: BOX.width - BOX.right, y: BOX.height - 6, "text-anchor": "end" }, `${words(last)} UTC`));
  return svg;
}

/** Entries over time: [POSIX seconds, size] points, in order. */
export function growthPlot(points) {
  const highest = points.at(-1)[1], lowest = points[0][1];
  const { x, y } = scales(points, lowest, Math.max(highest, lowest + 1));
  const svg = frame(points, `The log grew from ${lowest} to ${highest} entries.`);
  let line = `M${x(points[0][0]).toFixed(1)} ${y(points[0][1]).toFixed(1)}`;
  for (const [at, size] of points.slice(1)) line += `H${x(at).toFixed(1)}V${y(size).toFixed(1)}`;
  const base = BOX.height - BOX.bottom;
  svg.append(draw("path", { class: "area", d: `${line}V${base}H${BOX.left}Z` }), draw("path", { class: "line", d: line }));
  svg.append(draw("text", { x: BOX.left, y: 10 }, highest.toLocaleString("en")));
  return svg;
}

/** Seconds between checkpoints: [POSIX seconds, seconds since the one before] points; `late` above this. */
export function gapPlot(points, late) {
  const highest = Math.max(late, ...points.map(([, gap]) => gap));
  const { x, y } = scales(points, 0, highest * 1.1);
  const slow = points.filter(([, gap]) => gap > late).length;
  const svg = frame(points, `${points.length} gaps, the longest ${Math.max(...points.map(([, gap]) => gap))} s; ${slow} were longer than ${late} s.`);
  svg.append(draw("line", { class: "rule", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(late), y2: y(late), "stroke-dasharray": "3 4" }));
  svg.append(draw("text", { x: BOX.left, y: y(late) - 4 }, `${late} s`));
  svg.append(draw("text", { x: BOX.width - BOX.right, y: 10, "text-anchor": "end" }, `longest ${Math.max(...points.map(([, gap]) => gap))} s`));
  for (const [at, gap] of points) {
    svg.append(draw("circle", { class: gap > late ? "dot late" : "dot", cx: x(at).toFixed(1), cy: y(gap).toFixed(1), r: 1.8 }));
  }
  return svg;
}
