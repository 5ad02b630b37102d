// Where the night stands, by what the screens, the shifts and the ledger show: what is to be done next, by whom, and where.
import { firstName } from "./dom.js";
import { levelOf, messagesAt, person, screen, state } from "./state.js";
import { death, holdsToken } from "./token.js";

const channel = () => state.scene.channels[0].id;
const people = () => state.scene.cast;
const name = (p) => firstName(p);
const at = (level) => people().find((p) => levelOf(p.id).level === level);
const security = () => people().find((p) => !p.pagerduty);

/** offers finds a button among what people can see now: whose screen, and at which place. The newest is first. */
function offers(action) {
  const out = [];
  for (const p of people()) {
    for (const place of [channel(), "bot"]) {
      for (const m of messagesAt(p.id, place)) {
        if (m.buttons?.some((b) => b.action_id === action)) out.push({ p, place, m });
      }
    }
  }
  return out.sort((a, b) => (a.m.ts > b.m.ts ? -1 : 1));
}

/** asker is whom a card is about: the first person that it names. */
const asker = (m) => person(JSON.stringify(m.blocks).match(/<@(\w+)>/)?.[1]);

const again = { again: true };

function ask(first) {
  const p = at(1);
  if (!p) return { say: "Nobody is on call on the first line, so nothing opens by itself. Begin the night again.", ...again };
  return {
    say: `${first} Be ${name(p)}, who is on call: press the first line that is offered below, then the arrow.`,
    mine: `${first} You are ${name(p)}, on call: press the first line that is offered below, then the arrow.`,
    who: p, place: channel(), tab: "talk",
  };
}

function approve() {
  const card = offers("approve")[0];
  if (!card) return ask("That request is decided, and nothing waits any more.");
  const p = asker(card.m);
  const onCall = p && levelOf(p.id).level === 1;
  const voter = (onCall && at(2)) || security();
  const as = voter === security() ? "security" : "the next level";
  return {
    say: `${p ? name(p) : "Somebody"} waits for a yes. Be ${name(voter)}, ${as}, and press Approve.`,
    mine: `You are ${name(voter)}, ${as}: press Approve, on ${p ? `${name(p)}'s` : "the"} card.`,
    who: voter, place: channel(), tab: "talk",
  };
}

/** open lists the grants of this night that are not over, with the names of whom they are for. */
function open() {
  const over = new Set(state.ledger.filter((r) => ["closing", "closed"].includes(r.kind)).map((r) => r.grant));
  return state.ledger.filter((r) => r.kind === "opened" && !over.has(r.grant)).map((r) => ({
    grant: r.grant, who: state.ledger.find((a) => a.kind === "asked" && a.grant === r.grant)?.actor,
  }));
}

const holder = () => people().find((p) => name(p) === open().at(-1)?.who);

function reveal(then = "") {
  const shown = offers("reveal");
  const here = shown.find((o) => o.p.id === state.me) ?? shown[0];
  if (here?.place === "bot") {
    return {
      say: `Nightlatch wrote to ${name(here.p)}. Be ${name(here.p)}, and press Reveal${then}.`,
      mine: `Nightlatch wrote to ${name(here.p)}: press Reveal, in the direct message${then}.`, who: here.p, place: "bot", tab: "talk",
    };
  }
  if (here) {
    const how = state.steps.skipped ? "It opened at once: who is on call needs no yes for it. " : "";
    return {
      say: `${how}Be ${name(here.p)}, and press Reveal in the channel${then}.`,
      mine: `${how}Press Reveal, in the answer that only you see${then}.`, who: here.p, place: here.place, tab: "talk",
    };
  }
  const p = holder();
  if (!p) return ask("It was over before it was used.");
  return {
    say: `What ${name(p)} was told is gone from the screen. ${name(p)}'s App Home has Reveal, too${then}.`, who: p, place: "home", tab: "talk",
  };
}

function use() {
  const shown = JSON.stringify(screen()?.modal?.blocks ?? "").includes("rich_text_preformatted");
  if (shown && !holdsToken()) return { say: "Press Copy: the token box gets the secret, too.", tab: "talk" };
  if (holdsToken()) return { say: "The token box has the secret. Press Call: the orders API asks Nightlatch about it.", tab: "token" };
  return reveal(" again, then Copy");
}

function end() {
  const p = at(1);
  const left = p ? levelOf(p.id).until - Date.now() : 0;
  if (!p) return { say: "The shift is over. Look at the token.", tab: "token" };
  if (left < 10_000) return { say: `${name(p)}'s shift ends within seconds. Watch the token.`, tab: "token" };
  const whose = holder();
  if (whose && whose !== p) return { say: `No shift of ${name(whose)}'s ends this one: take it back with Return, in App Home.`, who: whose, place: "home", tab: "talk" };
  return { say: `It works, while ${name(p)} is on call. Press “End shift in 5\u00a0s” in PagerDuty: the token dies with it.`, tab: "night" };
}

/** epilogue is what can be tried when the token is dead, until it was. */
function epilogue(looked) {
  const dead = death();
  if (dead && !looked) return { say: `The token is refused: ${dead}`, tab: "token" };
  const off = people().findLast((p) => p.pagerduty && !levelOf(p.id).level);
  const last = off && state.ledger.filter((r) => r.kind === "asked" && r.actor === name(off) && Number(r.seq) > Number(state.steps.ended)).at(-1);
  const became = last && state.ledger.filter((r) => r.grant === last.grant).map((r) => r.kind);
  if (became && became.includes("pending") && !["opened", "denied", "withdrawn", "lapsed", "closing", "closed"].some((k) => became.includes(k))) {
    return {
      say: `${name(off)} is off call, so only security can say yes. Be ${name(security())}, and decide.`,
      mine: `${name(off)} is off call, so only security can say yes. You are ${name(security())}: decide.`,
      who: security(), place: channel(), tab: "talk",
    };
  }
  if (became || !off) {
    const how = !became ? "That was the night." : became.includes("refused") ? "Refused, and told why. That was the night." : "Decided, and recorded. That was the night.";
    return { say: `${how} Try another shift, or the form (/access alone).`, done: true, ...again };
  }
  return {
    say: `${dead ? `Refused: ${dead} ` : ""}Be ${name(off)}, off call, and ask for orders-read.`,
    mine: `You are ${name(off)}, off call. Ask for orders-read: press its line below, then the arrow.`,
    who: off, place: channel(), tab: "talk",
  };
}

/** next is what the guide says now. looked: the dead token was in sight. */
export function next(looked) {
  const s = state.steps;
  if (!s.asked) return ask("Order 4711 is stuck.");
  if (!s.approved) return approve();
  if (!s.revealed) return reveal();
  if (!s.used) return use();
  if (!s.over) return end();
  return epilogue(looked);
}
