// Builds what a page shows. Texts go in as texts, never as markup.

/** An element: `tag.class`, attributes, children (elements, texts, or null for none). */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put `children` in place of what an element holds. */
export function fill(place, ...children) {
  place.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

export const code = (text) => make("code", {}, text);
export const link = (href, ...children) => make("a", { href }, ...children);

/** `2026-01-31T23:59:59Z` as people read it. */
export const readable = (time) => time.replace("T", " ").replace("Z", " UTC");

/** Facts as a description list of [term, description] pairs. */
export function facts(pairs) {
  return make("dl.facts", {}, pairs.filter(Boolean).map(([term, ...description]) =>
    make("div", {}, make("dt", {}, term), make("dd", {}, ...description))));
}

/** What was found out: `tone` good, bad or warn. */
export function verdict(tone, title, ...lines) {
  return make(`section.verdict.${tone}`, {}, make("h2", {}, title),
    lines.filter(Boolean).map((line) => (typeof line === "string" ? make("p", {}, line) : line)));
}

const WORDS = { good: "holds", bad: "does not hold", warn: "not checked", note: "to know" };

/** Checks as rows: {tone, words, detail}. */
export function checklist(checks) {
  return make("ul.checks", {}, checks.map(({ tone, words, detail }) =>
    make(`li.${tone === "note" ? "warn" : tone}`, {},
      make("span.word", {}, WORDS[tone]),
      make("div", {}, make("div", {}, words), make("div.detail", {}, detail ?? "")))));
}

/** Seconds as people say them. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

export const count = (number) => number.toLocaleString("en");
