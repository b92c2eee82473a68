// Reads this registry's files. An object that is not there is null; a server that can't be asked is an error.

/** The registry could not be reached: offline, or its server answers with an error. */
export class UnreachableError extends Error {}

/** The bytes of an object, or null. Raises `UnreachableError`. */
export async function read(name, { fresh = false } = {}) {
  let answer, data;
  try {
    answer = await fetch(`/${name}`, { cache: fresh ? "no-store" : "default", credentials: "omit" });
    data = new Uint8Array(await answer.arrayBuffer());
  } catch {
    throw new UnreachableError(navigator.onLine ? "the registry's server does not answer" : "this browser is offline");
  }
  if (answer.status === 404) return null;
  if (!answer.ok) throw new UnreachableError(`the registry's server answers /${name} with status ${answer.status}`);
  return data;
}

/** The bytes of an object that must be there. */
export async function need(name, options) {
  const data = await read(name, options);
  if (data === null) throw new UnreachableError(`/${name} is missing from the registry`);
  return data;
}

/** A tile's number in groups of three digits, all but the last with `x`: 1234067 is x001/x234/067. */
export function formatIndex(index) {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  }
  return groups.join("/");
}
