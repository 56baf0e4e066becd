// Four small charts of the last ten minutes, as inline SVG.

import type { Overview, Point } from "./api";
import { attr, byId, el, painter, svg, text } from "./dom";
import { brief, count, millis, span } from "./format";
import type { Store } from "./store";

const [wide, high] = [300, 46];
/** The charts reach back ten minutes, or as far as there is something to show. */
const [least, most] = [60_000, 600_000];

interface Spec {
  title: string;
  unit: string;
  bars?: boolean;
  of(p: Point): number | null;
  /** now is the large number; most charts show their last point. */
  now?(points: Point[], o: Overview): number | null;
  words(v: number): string;
  note(o: Overview): string;
}

const sum = (m: Record<string, number> | null | undefined): number => Object.values(m ?? {}).reduce((a, b) => a + b, 0);

const specs: Spec[] = [
  {
    title: "Sessions",
    unit: "now",
    of: (p) => p.sessions,
    now: (_, o) => sum(o.stats.sessions),
    words: count,
    note: (o) => `${brief(o.stats.started)} started · ${brief(o.stats.ended?.failed ?? 0)} failed · ${brief(o.stats.resumes?.ok ?? 0)} resumed`,
  },
  {
    title: "Frame rate",
    unit: "frames/s",
    of: (p) => p.frames_in + p.frames_out,
    words: (v) => brief(Math.round(v)),
    note: (o) => `in and out · ${brief(sum(o.stats.errors))} protocol errors`,
  },
  {
    title: "Frame time, p99",
    unit: "ms",
    of: (p) => p.p99_ms,
    words: millis,
    note: (o) => `read to written · waited ${span(o.stats.backpressure_seconds * 1000)} for credit`,
  },
  {
    title: "Restarts",
    unit: "in 10 minutes",
    bars: true,
    of: (p) => p.restarts,
    now: (points) => points.reduce((n, p) => n + p.restarts, 0),
    words: count,
    note: (o) => ["audio", "control", "voice"].map((a) => `${a} ${brief(o.stats.restarts?.[a] ?? 0)}`).join(" · "),
  },
];

export class Charts {
  private cards: Chart[];

  constructor(private store: Store) {
    this.cards = specs.map((s) => new Chart(s));
    byId("charts").append(...this.cards.map((c) => c.node));
    store.on("overview", painter(() => this.paint(), () => 500));
  }

  private paint(): void {
    const { overview, points } = this.store;
    if (overview) for (const c of this.cards) c.paint(points, overview);
  }
}

class Chart {
  readonly node: HTMLElement;
  private number = el("span");
  private unit = el("small");
  private note = el("p", { class: "chart-note" });
  private art = svg("svg", { viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", role: "img" });
  private marks: SVGElement[] = [];
  private at = svg("line", { class: "at", y1: 0, y2: high, visibility: "hidden" });
  private points: Point[] = [];
  private overview?: Overview;
  private end = 0;
  private span = most;
  /** over is the point under the pointer. */
  private over?: Point;

  constructor(private spec: Spec) {
    this.node = el("article", { class: "chart" }, el("h2", {}, spec.title), el("p", { class: "chart-now" }, this.number, this.unit), this.art, this.note);
    this.marks = spec.bars ? [svg("path", { class: "bar" })] : [svg("path", { class: "fill" }), svg("path", { class: "line" })];
    this.art.append(svg("line", { class: "base", x1: 0, x2: wide, y1: high, y2: high }), ...this.marks, this.at);
    this.art.addEventListener("pointermove", (e) => this.point((e as PointerEvent).offsetX / this.art.clientWidth));
    this.art.addEventListener("pointerleave", () => this.point(-1));
  }

  paint(points: Point[], o: Overview): void {
    this.points = points;
    this.overview = o;
    this.end = points.at(-1)?.time_ms ?? Date.now();
    this.span = Math.max(least, Math.min(most, this.end - (points[0]?.time_ms ?? 0)));
    this.draw();
    this.say();
    text(this.note, this.spec.note(o));
    this.note.title = this.spec.note(o);
  }

  private x(p: Point): number {
    return wide * (1 - (this.end - p.time_ms) / this.span);
  }

  private draw(): void {
    const top = Math.max(...this.points.map((p) => this.spec.of(p) ?? 0), this.spec.bars ? 4 : 1e-9);
    const y = (v: number) => high - (v / top) * (high - 3);
    let line = "";
    let fill = "";
    let from: number | undefined; // where the present piece of line began
    let last = 0;
    const close = () => {
      if (from !== undefined) fill += `L${last.toFixed(1)} ${high}L${from.toFixed(1)} ${high}Z`;
      from = undefined;
    };
    for (const p of this.points) {
      const v = this.spec.of(p);
      const x = this.x(p);
      if (x < 0) continue;
      if (this.spec.bars) {
        if (v) line += `M${x.toFixed(1)} ${high}h-2V${y(v).toFixed(1)}h2Z`;
      } else if (v === null) close();
      else {
        const to = `${from === undefined ? "M" : "L"}${x.toFixed(1)} ${y(v).toFixed(1)}`;
        line += to;
        fill += to;
        from ??= x;
        last = x;
      }
    }
    close();
    attr(this.marks[0], "d", this.spec.bars ? line : fill);
    if (!this.spec.bars) attr(this.marks[1], "d", line);
  }

  /** say writes the number: that under the pointer, or the present. */
  private say(): void {
    const { spec } = this;
    const last = this.points.at(-1);
    const value = this.over ? spec.of(this.over) : spec.now && this.overview ? spec.now(this.points, this.overview) : last ? spec.of(last) : null;
    text(this.number, value === null ? "–" : spec.words(value));
    text(this.unit, this.over ? `${spec.bars ? "" : spec.unit} at ${new Date(this.over.time_ms).toLocaleTimeString()}` : spec.unit);
    const top = Math.max(0, ...this.points.map((p) => spec.of(p) ?? 0));
    attr(this.art, "aria-label", `${spec.title}: ${value === null ? "nothing yet" : spec.words(value)} ${spec.unit}, at most ${spec.words(top)} in the last ten minutes`);
  }

  private point(part: number): void {
    const x = part * wide;
    const near = part < 0 ? undefined : this.points.reduce<Point | undefined>((a, b) => (a && Math.abs(this.x(a) - x) < Math.abs(this.x(b) - x) ? a : b), undefined);
    this.over = near;
    attr(this.at, "visibility", near ? "visible" : "hidden");
    if (near) for (const end of ["x1", "x2"]) attr(this.at, end, String(this.x(near)));
    this.say();
  }
}
