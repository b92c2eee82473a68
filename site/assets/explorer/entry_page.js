// The page of one entry, named behind `#` by its leaf hash.
import { answer, byLeafHash, notServed } from "./lookup.js";
import { parseHeld } from "./identify.js";
import { verdict } from "./show.js";

const place = document.querySelector("[data-result]");
const empty = [...place.childNodes];

function go() {
  const named = decodeURIComponent(location.hash.slice(1));
  if (!named) {
    place.replaceChildren(...empty);
    return;
  }
  answer(place, async () => {
    const hash = parseHeld(named);
    if (hash === null) return verdict("warn", "This is not a hash", "A leaf hash has 43 characters of base64url.");
    return (await byLeafHash(hash)) ?? notServed(hash);
  });
}

addEventListener("hashchange", go);
go();
