// The list of sessions.

import { byId, el, light, painter, text } from "./dom";
import { age, brief, bytes, count, plain, span, tail } from "./format";
import { cell, List, type Column } from "./list";
import type { Row, Store } from "./store";

const columns: Column[] = [
  { name: "state", label: "State", sort: true },
  { name: "id", label: "Session", sort: true },
  { name: "voice", label: "Voice", sort: true },
  { name: "age", label: "Age", num: true, sort: true },
  { name: "frames", label: "Frames/s", num: true, sort: true },
  { name: "lag", label: "Lag", num: true, sort: true },
  { name: "lost", label: "Lost", num: true, sort: true },
  { name: "restarts", label: "Restarts", num: true, sort: true },
];

const states = ["listening", "thinking", "speaking", "paused", "voice_reconnecting", "draining", "waiting"];

/** what a column is sorted by; larger is worse, so a first click puts the worst on top. */
const value: Record<string, (r: Row) => string | number> = {
  state: (r) => r.state,
  id: (r) => r.id,
  voice: (r) => r.voice,
  age: (r) => -Date.parse(r.started_at),
  frames: (r) => (r.rateIn ?? 0) + (r.rateOut ?? 0),
  lag: (r) => r.queue_bytes,
  lost: (r) => r.samples_lost,
  restarts: (r) => r.restarts,
};

/** lost says in time how much audio a session lost. */
export const lost = (r: { samples_lost: number; audio: { sample_rate: number } }): string =>
  r.samples_lost === 0 ? "0" : span((r.samples_lost / r.audio.sample_rate) * 1000);

/** state shows a session's state as a coloured dot and its name. */
export function state(name: string): HTMLElement {
  return el("span", { class: "state", "data-state": name }, el("span", { class: "dot" }), el("span", {}, plain(name)));
}

export class Sessions {
  private sort = { column: "id", down: true };
  private find = byId<HTMLInputElement>("find");
  private only = byId<HTMLSelectElement>("state");
  private list: List<Row>;
  private lit = new Map<string, number>();
  private glowing: HTMLElement[] = [];

  constructor(private store: Store, open: (id: string) => void) {
    this.list = new List<Row>(byId("sessions"), {
      label: "Sessions",
      columns,
      key: (r) => r.id,
      paint: (r, cells, row) => this.row(r, cells, row),
      open: (r) => open(r.id),
      sorted: (c) => this.by(c),
      empty: "No session here. When someone talks, it shows at once.",
    });
    this.only.append(el("option", { value: "" }, "Any state"), ...states.map((s) => el("option", { value: s }, plain(s))));
    this.list.order(this.sort.column, this.sort.down);
    const paint = painter(() => this.paint(), () => (store.sessions.size > 1000 ? 500 : 250));
    store.on("sessions", paint);
    for (const field of [this.find, this.only]) field.addEventListener("input", () => this.paint());
  }

  private by(column: string): void {
    this.sort = { column, down: this.sort.column === column ? !this.sort.down : true };
    this.list.order(column, this.sort.down);
    this.paint();
  }

  private paint(): void {
    const words = this.find.value.trim().toLowerCase();
    const only = this.only.value;
    const rows: Row[] = [];
    for (const r of this.store.sessions.values()) {
      if (only && r.state !== only) continue;
      if (words && !`${r.id} ${r.voice} ${r.remote}`.toLowerCase().includes(words)) continue;
      rows.push(r);
    }
    const of = value[this.sort.column];
    const sign = this.sort.down ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      return sign * (x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1);
    });
    const all = this.store.sessions.size;
    text(byId("sessions-count"), rows.length === all ? count(all) : `${count(rows.length)} of ${count(all)}`);
    this.list.show(rows);
    light(...this.glowing.splice(0));
  }

  private row(r: Row, cells: HTMLElement[], row: HTMLElement): void {
    const [st, id, voice, since, frames, lag, gone, restarts] = cells;
    if (st.dataset.is !== r.state) {
      st.dataset.is = r.state;
      st.replaceChildren(state(r.state));
    }
    cell(id, tail(r.id), "mono");
    if (id.title !== r.id) id.title = r.id;
    cell(voice, r.voice);
    cell(since, age(r.started_at));
    const rate = r.rateIn === undefined ? "–" : `${brief(Math.round(r.rateIn))} → ${brief(Math.round(r.rateOut ?? 0))}`;
    cell(frames, rate, r.rateIn || r.rateOut ? "" : "zero");
    cell(lag, bytes(r.queue_bytes), r.queue_bytes === 0 ? "zero" : r.queue_bytes > 65_536 ? "strain" : "");
    cell(gone, lost(r), r.samples_lost ? "hurt" : "zero");
    cell(restarts, count(r.restarts), r.restarts ? "strain" : "zero");
    if (r.litAt && performance.now() - r.litAt < 2400 && this.lit.get(r.id) !== r.litAt) {
      this.lit.set(r.id, r.litAt);
      if (this.lit.size > 500) this.lit.clear();
      this.glowing.push(row);
    }
  }
}
