// Whether one trust root may take the place of another without more ado (REG-1.0 section 9).
import { equalJson } from "./canonical.js";

/** Why `next` is no update of `known`: a list of reasons, empty if it is one. */
export function refusalsOfUpdate(known, next) {
  const before = known.checkpoint, after = next.checkpoint;
  const contradicts =
    (before.head.size === after.head.size && before.head.root !== after.head.root)
    || (before.sequence === after.sequence && before.hash() !== after.hash())
    || after.head.size < before.head.size;
  const refusals = [
    [next.origin !== known.origin, `it is the trust root of another registry, ${next.origin}; the one in use is of ${known.origin}`],
    [after.sequence < before.sequence, "it is older than the one in use"],
    [!next.notices.startsWith(known.notices), "its notices are not those of the one in use and more"],
    [contradicts, "its checkpoint contradicts that of the one in use: the log shows two faces"],
    [known.keyring.key("registry", after.kid) === null, "it is signed by a key that the one in use does not have"],
    [known.identity().format() !== next.identity().format(),
      `its registry key is another, ${next.identity().format()}, where the one in use has ${known.identity().format()}`],
    [!equalJson(policiesOf(known), policiesOf(next)), "it changes the witness policy"],
  ];
  return refusals.filter(([applies]) => applies).map(([, refusal]) => refusal);
}

function policiesOf(trust) {
  return trust.notices.notices.filter(({ type }) => type === "witness.policy").map(({ data }) => data);
}
