// A list of any length: only the rows in sight exist. It is a grid to assistive technology,
// one stop of the Tab key, and goes by arrows, Page keys, Home and End; Enter opens a row.

import { attr, el, text } from "./dom";

export interface Column {
  name: string;
  /** label heads the column. */
  label: string;
  num?: boolean;
  /** sort makes the head a button. */
  sort?: boolean;
}

export interface Options<T> {
  label: string;
  columns: Column[];
  key(item: T): string;
  /** paint writes an item into a row's cells, in the columns' order. */
  paint(item: T, cells: HTMLElement[], row: HTMLElement): void;
  open(item: T): void;
  sorted?(column: string): void;
  empty: string;
}

interface Slot {
  row: HTMLElement;
  cells: HTMLElement[];
}

export class List<T> {
  readonly body: HTMLElement;
  private items: T[] = [];
  private slots: Slot[] = [];
  private heads = new Map<string, HTMLElement>();
  private space: HTMLElement;
  private nothing: HTMLElement;
  /** at is the index of the row that the keyboard is on. */
  private at = 0;
  /** height is a row's, seen that of what is in sight, in pixels. */
  private height = 36;
  private seen = 0;

  constructor(private host: HTMLElement, private opt: Options<T>) {
    const head = el("div", { class: "grid-head", role: "row", "aria-rowindex": 1 });
    for (const c of opt.columns) head.append(this.head(c));
    this.space = el("div", { class: "grid-space", role: "presentation" });
    this.nothing = el("p", { class: "empty", hidden: true }, opt.empty);
    this.body = el("div", { class: "grid-body", role: "rowgroup", tabindex: -1 }, this.space);
    const grid = el("div", { class: "grid", role: "grid", "aria-label": opt.label }, el("div", { role: "rowgroup" }, head), this.body);
    host.append(grid, this.nothing);
    this.grid = grid;
    this.body.addEventListener("scroll", () => this.paint(), { passive: true });
    this.body.addEventListener("keydown", (e) => this.key(e));
    // Measured only when they change: to ask in between would lay the page out each time.
    new ResizeObserver(() => {
      this.height = parseFloat(getComputedStyle(this.host).getPropertyValue("--row")) || 36;
      this.seen = this.body.clientHeight;
      this.paint();
    }).observe(this.body);
  }

  private grid: HTMLElement;

  private head(c: Column): HTMLElement {
    const cell = el("div", { class: `c-${c.name}${c.num ? " num" : ""}`, role: "columnheader" });
    if (c.sort) cell.append(el("button", { type: "button", onclick: () => this.opt.sorted?.(c.name) }, c.label));
    else cell.append(c.label);
    this.heads.set(c.name, cell);
    return cell;
  }

  /** order shows by what the list is sorted. */
  order(column: string, down: boolean): void {
    for (const [name, cell] of this.heads) {
      if (name === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  }

  /** show takes new items; keep holds what is in sight still where they grew at the top. */
  show(items: T[], keep = false): void {
    const first = this.items[this.first()];
    const anchor = keep && this.body.scrollTop > 0 && first ? this.opt.key(first) : undefined;
    this.items = items;
    if (anchor !== undefined) {
      const was = this.first();
      const now = items.findIndex((i) => this.opt.key(i) === anchor);
      if (now > was) this.body.scrollTop += (now - was) * this.height;
    }
    this.at = Math.min(this.at, Math.max(0, items.length - 1));
    attr(this.grid, "aria-rowcount", String(items.length + 1));
    this.nothing.hidden = items.length > 0;
    this.paint();
  }

  private first(): number {
    return Math.floor(this.body.scrollTop / this.height);
  }

  /** paint writes what is in sight. A row element belongs to index modulo their number. */
  private paint(): void {
    const height = this.height;
    const top = this.first();
    const want = `${this.items.length * height}px`;
    if (this.space.style.height !== want) this.space.style.height = want;
    const seen = Math.ceil(this.seen / height) + 2;
    while (this.slots.length < Math.min(seen, this.items.length)) this.slots.push(this.slot());
    const from = Math.max(0, Math.min(top, this.items.length - this.slots.length));
    for (let i = from; i < from + this.slots.length; i++) {
      const { row, cells } = this.slots[i % this.slots.length];
      const item = this.items[i];
      row.hidden = item === undefined;
      if (item === undefined) continue;
      const y = `translateY(${i * height}px)`;
      if (row.style.transform !== y) row.style.transform = y;
      row.dataset.index = String(i);
      attr(row, "aria-rowindex", String(i + 2));
      row.tabIndex = i === this.at ? 0 : -1;
      if (row.dataset.key !== this.opt.key(item)) {
        row.dataset.key = this.opt.key(item);
        row.classList.remove("lit");
      }
      this.opt.paint(item, cells, row);
    }
  }

  private slot(): Slot {
    const cells = this.opt.columns.map((c) => el("div", { class: `c-${c.name}${c.num ? " num" : ""}`, role: "gridcell" }));
    const row = el("div", { class: "grid-row", role: "row", tabindex: -1 }, ...cells);
    row.addEventListener("click", () => this.choose(row));
    row.addEventListener("focus", () => (this.at = Number(row.dataset.index)));
    this.space.append(row);
    return { row, cells };
  }

  private choose(row: HTMLElement): void {
    const item = this.items[Number(row.dataset.index)];
    if (item) this.opt.open(item);
  }

  private key(e: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.seen / this.height) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (e.key === "Enter" || e.key === " ") {
      if (e.target instanceof HTMLElement && e.target.classList.contains("grid-row")) this.choose(e.target);
    } else if (e.key in steps) {
      this.go(Math.max(0, Math.min(this.items.length - 1, this.at + steps[e.key])));
    } else return;
    e.preventDefault();
  }

  /** go moves the keyboard to a row. */
  private go(index: number): void {
    this.at = index;
    const height = this.height;
    const top = index * height;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + height > this.body.scrollTop + this.seen) this.body.scrollTop = top + height - this.seen;
    this.paint();
    this.slots.find((s) => s.row.dataset.index === String(index))?.row.focus({ preventScroll: true });
  }
}

/** cell writes a cell's words and the class that says how they are meant. */
export function cell(node: HTMLElement, words: string, tone = ""): void {
  text(node, words);
  const base = node.dataset.base ?? (node.dataset.base = node.className);
  const want = tone ? `${base} ${tone}` : base;
  if (node.className !== want) node.className = want;
}
