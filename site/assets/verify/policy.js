// C2SP tlog-policy: which witnesses must have cosigned a checkpoint (witness quorums).
import { countCharacters, parseDecimal, shown } from "./encoding.js";
import { ValueError } from "./errors.js";
import { COSIGNATURE, parseVerifierKey } from "./note.js";

export const NO_QUORUM = "none";
const MAX_LENGTH = 64 * 1024;
/** Names of one policy; C2SP asks for at least 32 of each kind. */
const MAX_LINES = 256;

/** A parsed policy. `witnesses`: keys by name; `quorum`: the name of a witness or group, or `none`. */
export class WitnessPolicy {
  constructor(witnesses, groups, quorum) {
    this.witnesses = witnesses;
    this.groups = groups;
    this.quorum = quorum;
  }

  /** Whether the witnesses named in `cosigners`, a set, make the quorum. */
  isMet(cosigners) {
    if (this.quorum === NO_QUORUM) return true;
    const met = new Set([...cosigners].filter((name) => this.witnesses.has(name)));
    for (const { name, threshold, members } of this.groups) {
      if (members.filter((member) => met.has(member)).length >= threshold) met.add(name);
    }
    return met.has(this.quorum);
  }
}

export const NO_WITNESSES = new WitnessPolicy(new Map(), [], NO_QUORUM);

/** A policy without `log` lines, as notices carry it. Raises `ValueError`. */
export function parsePolicy(text) {
  if (countCharacters(text, MAX_LENGTH) > MAX_LENGTH || !text.endsWith("\n")) {
    throw new ValueError(`a policy is lines, ${MAX_LENGTH} characters at most, the last one ended`);
  }
  const parser = new PolicyParser();
  for (const line of text.slice(0, -1).split("\n")) {
    const stripped = line.replace(/^[ \t]+|[ \t]+$/g, "");
    if (stripped !== "" && !line.startsWith("#")) parser.read(stripped.split(/[ \t]+/));
  }
  return parser.finish();
}

class PolicyParser {
  witnesses = new Map();
  groups = [];
  quorum = null;
  grouped = new Set();

  read(words) {
    const [keyword, ...given] = words;
    if (keyword === "witness" && [2, 3].includes(given.length)) this.#witness(given[0], given[1]);
    else if (keyword === "group" && given.length >= 3) this.#group(given[0], given[1], given.slice(2));
    else if (keyword === "quorum" && given.length === 1 && this.quorum === null) {
      this.quorum = given[0] === NO_QUORUM ? NO_QUORUM : this.#known(given[0]);
    } else throw new ValueError(`${shown(words.join(" "))} is not a line of a witness policy`);
  }

  finish() {
    if (this.quorum === null) throw new ValueError("the policy has no quorum line");
    return new WitnessPolicy(this.witnesses, this.groups, this.quorum);
  }

  #witness(name, vkey) {
    const key = parseVerifierKey(vkey);
    if (key.type !== COSIGNATURE) {
      throw new ValueError(`witness ${shown(name)}: key type ${key.type}, wanted ${COSIGNATURE}`);
    }
    if ([...this.witnesses.values()].some((other) => other.public.x === key.public.x)) {
      throw new ValueError(`witness ${shown(name)}: its key occurs twice`);
    }
    this.witnesses.set(this.#new(name), key);
  }

  #group(name, threshold, members) {
    const named = new Map([["all", members.length], ["any", 1]]);
    const count = named.get(threshold) || parseDecimal(threshold, members.length);
    if (count === 0) throw new ValueError(`group ${shown(name)}: threshold 0, wanted 1 to ${members.length}`);
    for (const member of members) {
      if (this.grouped.has(this.#known(member))) throw new ValueError(`${shown(member)} is a member twice`);
      this.grouped.add(member);
    }
    this.groups.push({ name: this.#new(name), threshold: count, members });
  }

  #new(name) {
    if (name === NO_QUORUM || this.#isKnown(name) || this.witnesses.size + this.groups.length >= MAX_LINES) {
      throw new ValueError(`name ${shown(name)} is taken, reserved, or one too many`);
    }
    return name;
  }

  #known(name) {
    if (!this.#isKnown(name)) throw new ValueError(`name ${shown(name)} is not defined before its use`);
    return name;
  }

  #isKnown(name) {
    return this.witnesses.has(name) || this.groups.some((group) => group.name === name);
  }
}
