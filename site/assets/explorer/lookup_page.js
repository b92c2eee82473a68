// The look-up page: looks up what its address names behind `#` or as `?hash=`.
import { attach } from "./lookup.js";

const lookup = attach(document.querySelector("[data-lookup]"));
const input = document.querySelector("#hash");

function go() {
  const named = decodeURIComponent(location.hash.slice(1)) || new URLSearchParams(location.search).get("hash");
  if (!named) return;
  input.value = named;
  lookup.show(named);
}

addEventListener("hashchange", go);
go();
