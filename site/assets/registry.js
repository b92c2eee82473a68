// Shows the live state of the log. The page reads the same without scripts.
const INTERVAL_MS = 10_000;

const written = {
  tree_size: (value) => value.toLocaleString("en"),
  checkpoint_timestamp: (value) => value.replace("T", " ").replace("Z", " UTC"),
};

async function refresh() {
  const answer = await fetch("/v1/stats", { cache: "no-store" });
  if (!answer.ok) return;
  const stats = await answer.json();
  for (const place of document.querySelectorAll("[data-stat]")) {
    const name = place.dataset.stat;
    if (name in stats) place.textContent = (written[name] ?? String)(stats[name]);
  }
}

const quietly = () => refresh().catch(() => {});
quietly();
setInterval(quietly, INTERVAL_MS);
