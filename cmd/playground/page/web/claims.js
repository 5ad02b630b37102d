// What a token says of itself, and what the ledger says of its grant. A service checks the signature; here nobody is let in.
import { state } from "./state.js";

/** claims reads a token, or returns null. */
export function claims(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const said = JSON.parse(new TextDecoder().decode(bytes));
    return { audience: [said.aud].flat()[0], expires: said.exp * 1000, grant: said.nightlatch?.grant ?? "" };
  } catch {
    return null; // it is none, or not all of it
  }
}

/** serviceOf finds the demo API that a token is for. */
export const serviceOf = (held) => state.scene.services.find((s) => s.audience === held?.audience);

/** endOf is when the grant of a token ended, or undefined while it is open. */
export function endOf(held) {
  const end = held && state.ledger.find((r) => r.grant === held.grant && ["closing", "closed"].includes(r.kind));
  return end && { at: Date.parse(end.at), outcome: end.outcome };
}
