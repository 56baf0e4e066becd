// What the console knows: the sessions, the last events, what lit up and when.

import type { Happening, Overview, Point, Session } from "./api";

/** eventsKept bounds the log in memory. */
const eventsKept = 5000;
/** pointsKept is ten minutes of charts. */
const pointsKept = 300;

/** Row is a session with what the console works out by itself. */
export interface Row extends Session {
  /** frames a second between the last two looks; undefined: one look only. */
  rateIn?: number;
  rateOut?: number;
  /** since is the look that the next rates are counted from. */
  since: { at: number; in: number; out: number };
  seenAt: number;
  /** litAt is when one of its actors last restarted, in the page's own time. */
  litAt: number;
}

export type Topic = "sessions" | "events" | "overview" | "restart";

export class Store {
  readonly sessions = new Map<string, Row>();
  /** events, oldest first. */
  events: Happening[] = [];
  points: Point[] = [];
  overview?: Overview;
  /** hot is the sessions whose actors restarted, the last one last. */
  readonly hot = new Map<string, number>();
  private listeners: [Topic, (e?: Happening) => void][] = [];

  on(topic: Topic, listener: (e?: Happening) => void): void {
    this.listeners.push([topic, listener]);
  }

  private tell(topic: Topic, e?: Happening): void {
    for (const [t, listener] of this.listeners) if (t === topic) listener(e);
  }

  /** page takes in one page of the list, which holds every session after one id up to next. */
  page(list: Session[], after: string, next: string): void {
    const now = performance.now();
    const here = new Set<string>();
    for (const s of list) {
      here.add(s.id);
      this.put(s, now);
    }
    for (const [id, row] of this.sessions) {
      const covered = id > after && (next === "" || id <= next);
      // A session that an event announced meanwhile is not gone because the page is older.
      if (covered && !here.has(id) && now - row.seenAt > 1500) this.sessions.delete(id);
    }
    this.tell("sessions");
  }

  /** put takes in one session as it is now. */
  put(s: Session, now = performance.now()): Row {
    const old = this.sessions.get(s.id);
    const here = { at: now, in: s.frames_in, out: s.frames_out };
    const row: Row = { ...s, seenAt: now, since: old?.since ?? here, litAt: old?.litAt ?? 0, rateIn: old?.rateIn, rateOut: old?.rateOut };
    const seconds = (now - row.since.at) / 1000;
    if (seconds > 0.4) {
      row.rateIn = Math.max(0, here.in - row.since.in) / seconds;
      row.rateOut = Math.max(0, here.out - row.since.out) / seconds;
      row.since = here;
    }
    this.sessions.set(s.id, row);
    return row;
  }

  /** past fills the log with what happened before the stream began. */
  past(newestFirst: Happening[]): void {
    this.events = newestFirst.toReversed();
    this.tell("events");
  }

  /** happened takes in what the stream says. */
  happened(events: Happening[]): void {
    for (const e of events) {
      // A lower number is another process: the server was restarted.
      if (this.events.length && e.id <= this.events[this.events.length - 1].id) this.events = [];
      this.events.push(e);
      this.apply(e);
    }
    if (this.events.length > eventsKept * 1.2) this.events = this.events.slice(-eventsKept);
    this.tell("events");
    this.tell("sessions");
  }

  /** apply shows at once what the next look at the list would show. */
  private apply(e: Happening): void {
    const row = e.session ? this.sessions.get(e.session) : undefined;
    switch (e.event) {
      case "session_ended":
        if (e.session) this.sessions.delete(e.session);
        break;
      case "session_detached":
        if (row) [row.attached, row.state] = [false, "waiting"];
        break;
      case "actor_restarted":
        if (!e.session) break;
        if (row) [row.restarts, row.litAt] = [row.restarts + 1, performance.now()];
        this.hot.delete(e.session);
        this.hot.set(e.session, performance.now());
        if (this.hot.size > 50) this.hot.delete(this.hot.keys().next().value!);
        this.tell("restart", e);
        break;
      case "drain_started":
        if (this.overview) this.overview.draining = true;
        this.tell("overview");
    }
  }

  /** look takes in the totals and the newest points of the charts. */
  look(o: Overview): void {
    this.overview = o;
    const newest = this.points.at(-1)?.time_ms ?? 0;
    this.points.push(...o.history.filter((p) => p.time_ms > newest));
    this.points = this.points.slice(-pointsKept);
    this.tell("overview");
  }
}
