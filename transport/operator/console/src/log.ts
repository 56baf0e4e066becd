// The supervision log, newest first, with its filters.

import type { Happening } from "./api";
import { byId, el, painter, text } from "./dom";
import { clock, count, plain, span, tail } from "./format";
import { cell, List } from "./list";
import type { Store } from "./store";

const events = [
  "session_started", "session_attached", "session_detached", "session_resumed", "session_ended", "actor_started",
  "actor_failed", "actor_restarted", "actor_stopped", "supervision_exhausted", "dead_letter", "voice_lost",
  "voice_restored", "token_reused", "crisis", "drain_started", "drain_done",
];
const levels = ["debug", "info", "warn", "error"];

/** what says what an event tells beyond its name, in one line. */
export function what(e: Happening): string {
  const parts: string[] = [];
  if (e.reason) parts.push(plain(e.reason));
  if (e.err) parts.push(e.err);
  if (e.restarts) parts.push(`${e.restarts} ${e.restarts === 1 ? "restart" : "restarts"}`);
  if (e.code) parts.push(`code ${e.code}`);
  if (e.seq) parts.push(`seq ${e.seq}`);
  if (e.voice) parts.push(e.voice);
  if (e.count) parts.push(`${count(e.count)} times`);
  if (e.took_ms) parts.push(span(e.took_ms));
  return parts.length ? parts.join(" · ") : e.message;
}

export class Log {
  private session = byId<HTMLInputElement>("log-session");
  private level = byId<HTMLSelectElement>("log-level");
  private event = byId<HTMLSelectElement>("log-event");
  private actor = byId<HTMLSelectElement>("log-actor");
  private pause = byId<HTMLButtonElement>("log-pause");
  private list: List<Happening>;
  /** until is the newest event shown while paused. */
  private until = Infinity;

  constructor(private store: Store, open: (e: Happening) => void) {
    this.list = new List<Happening>(byId("log"), {
      label: "Supervision log, newest first",
      columns: [
        { name: "time", label: "Time" },
        { name: "level", label: "Level" },
        { name: "event", label: "Event" },
        { name: "session", label: "Session" },
        { name: "actor", label: "Actor" },
        { name: "what", label: "What" },
      ],
      key: (e) => String(e.id),
      paint: row,
      open,
      empty: "Nothing happened that fits these filters.",
    });
    options(this.level, "From any level", levels.slice(1), (l) => `${l} and up`.replace("error and up", "error"));
    options(this.event, "Any event", events, plain);
    this.level.value = "info";
    options(this.actor, "Any actor", ["audio", "control", "voice"], (a) => a);
    const paint = painter(() => this.paint(), () => 150);
    store.on("events", paint);
    for (const field of [this.session, this.level, this.event, this.actor]) field.addEventListener("input", () => this.paint());
    this.pause.addEventListener("click", () => this.hold());
  }

  private hold(): void {
    const held = this.until === Infinity;
    this.until = held ? (this.store.events.at(-1)?.id ?? 0) : Infinity;
    this.pause.setAttribute("aria-pressed", String(held));
    this.paint();
  }

  private paint(): void {
    const session = this.session.value.trim().toLowerCase();
    const least = levels.indexOf(this.level.value);
    const [event, actor] = [this.event.value, this.actor.value];
    const all = this.store.events;
    const shown: Happening[] = [];
    let held = 0;
    for (let i = all.length - 1; i >= 0; i--) {
      const e = all[i];
      if (e.id > this.until) held++;
      else if (
        (!session || e.session?.toLowerCase().includes(session)) &&
        (least < 0 || levels.indexOf(e.level) >= least) &&
        (!event || e.event === event) &&
        (!actor || e.actor === actor)
      )
        shown.push(e);
    }
    const n = shown.length === all.length ? count(all.length) : `${count(shown.length)} of ${count(all.length)}`;
    text(byId("log-count"), n);
    text(this.pause, this.until === Infinity ? "Pause" : held ? `Go on (${count(held)} new)` : "Go on");
    this.list.show(shown, true);
  }
}

function row(e: Happening, cells: HTMLElement[]): void {
  const [time, level, event, session, actor, rest] = cells;
  cell(time, clock(e.time), "mono soft");
  cell(level, e.level, "level");
  level.dataset.level = e.level;
  cell(event, plain(e.event));
  cell(session, e.session ? tail(e.session) : "", "mono");
  cell(actor, e.actor ?? "");
  cell(rest, what(e));
}

function options(select: HTMLSelectElement, none: string, values: string[], label: (v: string) => string): void {
  select.append(el("option", { value: "" }, none), ...values.map((v) => el("option", { value: v }, label(v))));
}
