// One session, opened: its counters, its actors, its events and its last failure.

import { crashActor, endSession, get, Refusal, type Actor, type Happening, type Session } from "./api";
import { ask } from "./box";
import { byId, el, light, painter, text } from "./dom";
import { age, bytes, clock, count, plain, span, tail } from "./format";
import { what } from "./log";
import { lost, state } from "./sessions";
import type { Store } from "./store";

/** trail is how many of a session's events are shown. */
const trail = 60;

export class Sheet {
  private box = byId<HTMLDialogElement>("sheet");
  private id = "";
  private session?: Session;
  private actors: Actor[] = [];
  private events: Happening[] = [];
  private rows = new Map<string, { node: HTMLElement; words: HTMLElement }>();
  private body = el("div", { class: "sheet-body", tabindex: 0, role: "region", "aria-label": "About this session" });
  private head = el("div", { class: "sheet-head" });
  private foot = el("div", { class: "sheet-foot" });
  private parts = { gone: el("p", { class: "gone", role: "status" }), facts: el("dl", { class: "facts" }), actors: el("div", { class: "actors" }), failure: el("div"), trail: el("ol", { class: "trail" }) };
  private timer = 0;
  private paintSoon = painter(() => this.paint(), () => 150);

  constructor(private store: Store, private say: (words: string) => void) {
    this.box.append(this.head, this.body, this.foot);
    this.box.addEventListener("close", () => {
      clearInterval(this.timer);
      this.id = "";
      if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    });
    // A click beside the sheet closes it.
    this.box.addEventListener("click", (e) => e.target === this.box && this.box.close());
    store.on("events", () => this.id && this.live());
    store.on("restart", (e) => e!.session === this.id && this.restarted(e!));
  }

  /** open shows a session, from now on until the sheet is closed. */
  async open(id: string): Promise<void> {
    this.id = id;
    this.session = this.store.sessions.get(id);
    this.actors = [];
    this.events = [];
    this.rows.clear();
    this.build();
    if (!this.box.open) this.box.showModal();
    history.replaceState(null, "", `#${id}`);
    this.paint();
    clearInterval(this.timer);
    this.timer = setInterval(() => void this.look(), 1000);
    void this.look();
    try {
      const page = await get<{ events: Happening[] }>(`supervision?session=${encodeURIComponent(id)}&limit=${trail}`);
      if (this.id !== id) return;
      this.events = page.events;
      this.paint();
    } catch (e) {
      this.say(String((e as Error).message));
    }
  }

  private build(): void {
    const copy = el("button", { type: "button", class: "quiet", onclick: () => void navigator.clipboard?.writeText(this.id).then(() => this.say("The id is copied")) }, "Copy id");
    const close = el("button", { type: "button", "aria-label": "Close", autofocus: true, onclick: () => this.box.close() }, "✕");
    this.head.replaceChildren(el("h2", { id: "sheet-title" }, this.id, close), el("span", { id: "sheet-state" }), el("span", { class: "soft", id: "sheet-sub" }));
    this.parts.actors.replaceChildren();
    this.parts.trail.replaceChildren();
    this.body.replaceChildren(this.parts.gone, el("h3", {}, "Counters"), this.parts.facts, el("h3", {}, "Actors"), this.parts.actors, this.parts.failure, el("h3", {}, "Events"), this.parts.trail);
    this.foot.replaceChildren(copy, el("button", { type: "button", class: "danger", id: "end", onclick: () => void this.end() }, "End session…"));
  }

  /** look asks for the present state. */
  private async look(): Promise<void> {
    const id = this.id;
    try {
      const [session, tree] = await Promise.all([get<Session>(`sessions/${encodeURIComponent(id)}`), get<Actor>(`tree?session=${encodeURIComponent(id)}`)]);
      if (this.id !== id) return;
      this.session = this.store.put(session);
      this.actors = tree.children ?? [];
      this.paint();
    } catch (e) {
      if (this.id === id && e instanceof Refusal && e.status === 404) this.over();
    }
  }

  /** live adds what the stream brought. */
  private live(): void {
    const newest = this.events[0]?.id ?? 0;
    const more: Happening[] = [];
    for (let i = this.store.events.length - 1; i >= 0 && this.store.events[i].id > newest; i--) {
      if (this.store.events[i].session === this.id) more.push(this.store.events[i]);
    }
    if (more.length === 0) return;
    this.events = [...more, ...this.events].slice(0, trail);
    if (more.some((e) => e.event === "session_ended")) this.over();
    this.paintSoon();
  }

  private over(): void {
    clearInterval(this.timer);
    const end = this.events.find((e) => e.event === "session_ended");
    text(this.parts.gone, end ? `This session ended: ${what(end)}.` : "This session is over.");
    byId<HTMLButtonElement>("end").disabled = true;
    for (const b of this.parts.actors.querySelectorAll("button")) b.disabled = true;
  }

  private restarted(e: Happening): void {
    const a = this.actors.find((x) => x.name === e.actor);
    if (a) a.restarts = Math.max(a.restarts + 1, e.restarts ?? 0);
    this.paint();
    const row = this.rows.get(e.actor ?? "");
    if (row) light(row.node);
  }

  private paint(): void {
    const s = this.session;
    if (s) {
      byId("sheet-state").replaceChildren(state(s.state));
      text(byId("sheet-sub"), `${s.voice} · ${age(s.started_at)} · ${s.remote || "address unknown"} · ${s.audio.encoding} ${s.audio.sample_rate} Hz${s.audio.channels > 1 ? " stereo" : ""}`);
      this.facts(s);
    }
    for (const a of this.actors) this.actor(a);
    this.failure(this.events.find((e) => e.event === "actor_failed"));
    this.parts.trail.replaceChildren(...this.events.map(trailItem));
  }

  private facts(s: Session): void {
    const seconds = (n: number) => span((n / s.audio.sample_rate) * 1000);
    const all: [string, string][] = [
      ["Frames in", count(s.frames_in)], ["Frames out", count(s.frames_out)],
      ["Audio in", seconds(s.samples_in)], ["Audio out", seconds(s.samples_out)],
      ["Lost", lost(s)], ["Restarts", count(s.restarts)], ["Resumes", count(s.resumes)],
      ["Lag", bytes(s.queue_bytes)], ["Kept for replay", bytes(s.replay_bytes)], ["Socket", s.attached ? "attached" : "waiting for it"],
    ];
    const list = this.parts.facts;
    if (list.childElementCount !== all.length) list.replaceChildren(...all.map(([name]) => el("div", {}, el("dt", {}, name), el("dd"))));
    all.forEach(([, words], i) => text(list.children[i].lastElementChild!, words));
  }

  private actor(a: Actor): void {
    let row = this.rows.get(a.name);
    if (!row) {
      const words = el("span");
      const node = el("div", { class: "actor", "data-actor": a.name }, el("strong", {}, a.name), words);
      if (this.store.overview?.fault_injection) node.append(el("button", { type: "button", class: "danger", "aria-label": `Crash ${a.name}`, onclick: () => void this.crash(a.name) }, "Crash…"));
      row = { node, words };
      this.rows.set(a.name, row);
      this.parts.actors.append(node);
    }
    text(row.words, `${count(a.restarts)} ${a.restarts === 1 ? "restart" : "restarts"} · ${count(a.mailbox)} waiting`);
  }

  private failure(e: Happening | undefined): void {
    const key = e ? String(e.id) : "";
    if (this.parts.failure.dataset.key === key) return;
    this.parts.failure.dataset.key = key;
    if (!e) return this.parts.failure.replaceChildren();
    const why = [e.actor, e.reason && plain(e.reason), e.err, e.seq && `at seq ${e.seq}`].filter(Boolean).join(" · ");
    const card = el("div", { class: "failure" }, el("strong", {}, `${clock(e.time)} · ${why || e.message}`));
    if (e.stack) card.append(el("pre", { tabindex: 0, role: "region", "aria-label": "Stack of the last failure" }, e.stack));
    this.parts.failure.replaceChildren(el("h3", {}, "Last failure"), card);
  }

  private async crash(actor: string): Promise<void> {
    const when = await ask({
      title: `Crash ${actor}?`,
      words: `The ${actor} actor of ${tail(this.id)} panics on purpose and is restarted by its supervisor. More than 5 crashes in 10 s end the session.`,
      yes: "Crash it",
      choices: [["now", "Now, with no frame in hand"], ["frame", "While it handles its next frame, which is then lost"]],
    });
    if (when) await this.act(() => crashActor(this.id, actor, when === "frame"), `${actor} was told to crash`);
  }

  private async end(): Promise<void> {
    const yes = await ask({ title: "End this session?", words: `${tail(this.id)} is ended politely: its client is told, and does not come back by itself.`, yes: "End session" });
    if (yes) await this.act(() => endSession(this.id), "The session is ending");
  }

  private async act(order: () => Promise<unknown>, done: string): Promise<void> {
    try {
      await order();
      this.say(done);
    } catch (e) {
      this.say(`Not done: ${(e as Error).message}`);
    }
  }
}

function trailItem(e: Happening): HTMLElement {
  const words = what(e);
  return el(
    "li",
    {},
    el("span", { class: "mono soft" }, clock(e.time)),
    el("span", { class: "level", "data-level": e.level }, plain(e.event) + (e.actor ? ` · ${e.actor}` : "")),
    ...(words && words !== e.message ? [el("small", {}, words)] : []),
  );
}
