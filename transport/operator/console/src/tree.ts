// The actor tree, live. Sessions whose actors restarted last come first, then the oldest; each
// restart lights its actor up.

import { get, type Actor, type Happening } from "./api";
import { attr, byId, el, light, painter, text } from "./dom";
import { count, tail } from "./format";
import type { Store } from "./store";

/** shown is how many sessions the tree draws. */
const shown = 40;
/** fresh is how many of the sessions that restarted last are asked for one by one. */
const fresh = 6;

interface Branch {
  node: HTMLElement;
  row: HTMLElement;
  leaves: Map<string, { node: HTMLElement; count: HTMLElement; mail: HTMLElement }>;
}

export class Tree {
  private branches = new Map<string, Branch>();
  private actors = new Map<string, Actor>();
  private order: string[] = [];
  /** said is the restarts of which events told, by session and actor: newer than the last look. */
  private said = new Map<string, number>();
  /** restartedSince is which actors restarted since the last paint. */
  private restartedSince = new Set<string>();
  private root = el("span", { class: "tree-root", role: "treeitem", "aria-level": 1, tabindex: 0 }, el("span", { class: "dot" }), "sessions");
  private group = el("ul", { class: "branches", role: "none" });
  private paintSoon = painter(() => this.paint(), () => 200);

  constructor(private store: Store, private open: (id: string) => void) {
    const list = el("ul", { role: "tree", "aria-label": "Actor tree" }, el("li", { role: "none" }, this.root, this.group));
    byId("tree").append(list);
    list.addEventListener("keydown", (e) => this.key(e));
    store.on("restart", (e) => this.restarted(e!));
    store.on("sessions", this.paintSoon);
  }

  /** look asks the server for the tree: the first sessions, and those that restarted last. */
  async look(): Promise<void> {
    const hot = [...this.store.hot.keys()].reverse().slice(0, fresh);
    const [all, ...some] = await Promise.all([
      get<Actor>(`tree?limit=${shown}`),
      // One that ended meanwhile is simply not there any more.
      ...hot.map((id) => get<Actor>(`tree?session=${encodeURIComponent(id)}`).catch(() => undefined)),
    ]);
    this.actors.clear();
    this.order = [];
    for (const s of [...(all.children ?? []), ...some]) if (s) this.actors.set(s.name, s);
    for (const s of all.children ?? []) this.order.push(s.name);
    this.paintSoon();
  }

  private restarted(e: Happening): void {
    const key = `${e.session}/${e.actor}`;
    this.said.set(key, e.restarts ?? (this.said.get(key) ?? 0) + 1);
    if (this.said.size > 500) this.said.delete(this.said.keys().next().value!);
    this.restartedSince.add(key);
    this.paintSoon();
  }

  private paint(): void {
    const hot = [...this.store.hot.keys()].reverse().filter((id) => this.store.sessions.has(id));
    const ids = [...new Set([...hot, ...this.order.filter((id) => this.store.sessions.has(id))])].slice(0, shown);
    const all = this.store.sessions.size;
    text(byId("tree-count"), all > ids.length ? `${count(ids.length)} of ${count(all)} sessions, last to restart first` : `${count(all * 3 + all + 1)} actors`);
    for (const [id, b] of this.branches) {
      if (ids.includes(id)) continue;
      b.node.remove();
      this.branches.delete(id);
    }
    let before: Element | null = this.group.firstElementChild;
    for (const id of ids) {
      const b = this.branches.get(id) ?? this.branch(id);
      if (b.node === before) before = before.nextElementSibling;
      else this.group.insertBefore(b.node, before);
      this.write(b, this.actors.get(id));
    }
    this.glow();
    // The one stop of the Tab key may have gone with its session.
    if (!byId("tree").querySelector('[tabindex="0"]')) this.root.tabIndex = 0;
  }

  private glow(): void {
    const nodes: Element[] = [];
    for (const [id, b] of this.branches) {
      for (const [name, leaf] of b.leaves) if (this.restartedSince.has(`${id}/${name}`)) nodes.push(leaf.node);
    }
    this.restartedSince.clear();
    light(...nodes);
  }

  private branch(id: string): Branch {
    const leaves: Branch["leaves"] = new Map();
    const group = el("ul", { class: "leaves", role: "none" });
    for (const name of ["audio", "control", "voice"]) {
      const restarts = el("b");
      const mail = el("i");
      const leaf = el("li", { class: "leaf", role: "treeitem", "aria-level": 3, tabindex: -1, "data-actor": name }, el("span", { class: "dot" }), name, restarts, mail);
      leaves.set(name, { node: leaf, count: restarts, mail });
      group.append(leaf);
    }
    const label = el("span", { class: "branch-name mono", role: "treeitem", "aria-level": 2, tabindex: -1, title: id }, tail(id));
    const row = el("div", { class: "branch", role: "none" }, label, group);
    const node = el("li", { role: "none", "data-session": id }, row);
    row.addEventListener("click", () => this.open(id));
    const b = { node, row, leaves };
    this.branches.set(id, b);
    return b;
  }

  private write(b: Branch, actor: Actor | undefined): void {
    for (const [name, leaf] of b.leaves) {
      const child = actor?.children?.find((a) => a.name === name);
      const restarts = Math.max(child?.restarts ?? 0, this.said.get(`${b.node.dataset.session}/${name}`) ?? 0);
      const waiting = child?.mailbox ?? 0;
      text(leaf.count, restarts ? `↻ ${count(restarts)}` : "");
      text(leaf.mail, waiting ? `${count(waiting)} waiting` : "");
      attr(leaf.node, "title", `${name}: ${count(restarts)} restarts, ${count(waiting)} messages waiting`);
    }
  }

  /** key goes through the tree as trees do: up and down what is seen, left to the parent. */
  private key(e: KeyboardEvent): void {
    const items = [...byId("tree").querySelectorAll<HTMLElement>('[role="treeitem"]')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const here = items[at];
    const level = (n: HTMLElement | undefined) => Number(n?.getAttribute("aria-level"));
    let to: HTMLElement | undefined;
    if (e.key === "ArrowDown") to = items[at + 1];
    else if (e.key === "ArrowUp") to = items[at - 1];
    else if (e.key === "ArrowRight") to = level(items[at + 1]) > level(here) ? items[at + 1] : undefined;
    else if (e.key === "ArrowLeft") to = items.slice(0, at).findLast((n) => level(n) < level(here));
    else if (e.key === "Home") to = items[0];
    else if (e.key === "End") to = items.at(-1);
    else if (e.key === "Enter") {
      const id = here.closest<HTMLElement>("[data-session]")?.dataset.session;
      if (id) this.open(id);
    } else return;
    e.preventDefault();
    if (!to) return;
    here.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}
