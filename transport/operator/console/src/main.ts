// The console: it introduces the parts to each other and keeps them fed.

import { drain, get, Refusal, token, type Happening, type Overview, type Session } from "./api";
import { ask, askToken, showEvent } from "./box";
import { Charts } from "./charts";
import { attr, byId, text } from "./dom";
import { Log } from "./log";
import { Sessions } from "./sessions";
import { Sheet } from "./sheet";
import { Store } from "./store";
import { follow } from "./stream";
import { theme } from "./theme";
import { Tree } from "./tree";

const store = new Store();
const sheet = new Sheet(store, say);
const open = (id: string) => void sheet.open(id);
const tree = new Tree(store, open);
new Charts(store);
new Sessions(store, open);
new Log(store, (e) => void showEvent(e, open));
theme(byId<HTMLButtonElement>("theme"));

let quiet = 0;
function say(words: string): void {
  text(byId("toast"), words);
  clearTimeout(quiet);
  quiet = setTimeout(() => text(byId("toast"), ""), 4000);
}

type Link = "connecting" | "live" | "lost" | "out";
let link: Link = "connecting";

function shows(now: Link): void {
  link = now;
  const draining = now === "live" && store.overview?.draining;
  attr(byId("link"), "data-link", draining ? "draining" : now);
  text(byId("link-text"), draining ? "Draining" : { connecting: "Connecting", live: "Live", lost: "Reconnecting", out: "Signed out" }[now]);
  byId("drain").hidden = !store.overview?.can_drain || !!store.overview.draining || now !== "live";
}

function banner(words: string): void {
  text(byId("banner"), words);
  byId("banner").hidden = words === "";
}

/** enter asks for what the page begins with, and for the token where one is wanted. */
async function enter(): Promise<Happening[]> {
  for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
    try {
      const [overview, past] = await Promise.all([get<Overview>("stats"), get<{ events: Happening[] }>("supervision?limit=1000")]);
      banner("");
      store.look(overview);
      return past.events;
    } catch (e) {
      if (e instanceof Refusal && e.status === 401) {
        const had = token.get() !== "";
        token.forget();
        shows("out");
        token.set(await askToken(had ? "That token does not open this server." : ""));
        shows("connecting");
        continue;
      }
      shows(e instanceof Refusal ? "out" : "lost");
      banner(e instanceof Refusal ? e.message : "The server cannot be reached. Trying again…");
      if (e instanceof Refusal && e.status === 403 && token.get()) {
        token.forget();
        continue;
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

/** every repeats a question while someone looks; one that fails is asked again next time. */
function every(ms: number, question: () => Promise<void>): void {
  let busy = false;
  const go = async () => {
    if (busy || document.hidden || link !== "live") return;
    busy = true;
    await question().catch(() => undefined);
    busy = false;
  };
  setInterval(() => void go(), ms);
  document.addEventListener("visibilitychange", () => void go());
}

let after = "";

/** page asks for the next part of the list, so that any number of sessions costs the same. */
async function page(): Promise<void> {
  const from = after;
  const answer = await get<{ sessions: Session[]; next: string }>(`sessions?limit=1000&after=${encodeURIComponent(from)}`);
  after = answer.next;
  store.page(answer.sessions, from, answer.next);
}

async function whole(): Promise<void> {
  after = "";
  do await page();
  while (after !== "");
}

const look = async () => store.look(await get<Overview>(`stats?after=${store.points.at(-1)?.time_ms ?? 0}`));

async function run(): Promise<void> {
  const past = await enter();
  store.past(past);
  await whole().catch(() => undefined);
  if (location.hash.length > 1) open(decodeURIComponent(location.hash.slice(1)));
  const opened = () => {
    shows("live");
    void tree.look().catch(() => undefined);
  };
  await follow(past[0]?.id ?? 0, {
    happened: (events) => store.happened(events),
    missed: (from, to) => say(`${to - from + 1} events were missed`),
    opened,
    lost: () => shows("lost"),
    refused: () => shows("out"),
  });
  // The token is no longer good: begin again.
  void run();
}

store.on("overview", () => shows(link));
byId("drain").addEventListener("click", async () => {
  const yes = await ask({
    title: "Drain this server?",
    words: "New sessions are refused from now on, running ones are asked to finish, and then the process ends. This cannot be taken back.",
    yes: "Drain the server",
  });
  if (!yes) return;
  await drain().then(() => say("The drain has begun"), (e: Error) => say(`Not done: ${e.message}`));
});

const tabs = [...document.querySelectorAll<HTMLButtonElement>('#tabs [role="tab"]')];
function choose(tab: HTMLButtonElement): void {
  for (const t of tabs) {
    t.setAttribute("aria-selected", String(t === tab));
    t.tabIndex = t === tab ? 0 : -1;
    byId(t.getAttribute("aria-controls")!).classList.toggle("shown", t === tab);
  }
}
tabs.forEach((t, i) => {
  t.addEventListener("click", () => choose(t));
  t.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const to = tabs[(i + step + tabs.length) % tabs.length];
    choose(to);
    to.focus();
  });
});
document.addEventListener("keydown", (e) => {
  const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement;
  if (e.key !== "/" || typing || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  byId("find").focus();
});

every(1000, page);
every(2000, look);
every(2000, () => tree.look());
void run();
