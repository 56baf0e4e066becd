// View is the page's elements, and what is shown in them.

import type { Ended, SessionEvents, Stats } from "/client/aila.js";
import { Wave } from "./wave.js";
import { brief, duration, endWords, stateWords } from "./words.js";

export const at = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

type Role = "user" | "voice" | "page" | "alarm";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class View {
  #waves = { user: new Wave(at("wave-user")), voice: new Wave(at("wave-voice")) };
  #level = 0;
  #saidAt = 0;
  #lines = new Map<string, HTMLElement>();
  #banners = new Map<string, HTMLElement>();

  constructor() {
    const frame = (now: number) => {
      if (!at("talk").hidden) this.#animate(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Shows one of the page's three parts. */
  show(part: "welcome" | "talk" | "after"): void {
    for (const id of ["welcome", "talk", "after"]) at(id).hidden = id !== part;
    document.body.dataset.view = part;
    scrollTo(0, 0);
    if (part !== "talk") return;
    for (const wave of Object.values(this.#waves)) wave.clear();
    this.#lines.clear();
    this.#banners.clear();
    at("banners").replaceChildren();
    at("transcript").replaceChildren();
  }

  state(e: SessionEvents["state"]): void {
    at("state").dataset.state = e.state;
    at("state-words").textContent = stateWords(e);
  }

  level({ side, peak }: SessionEvents["level"]): void {
    this.#waves[side].add(peak);
    if (side === "user") this.#level = Math.max(peak, this.#level);
  }

  /** Writes a line; one with a key replaces the line that has the same. */
  line(role: Role, text: string, key?: string): void {
    const list = at("transcript");
    const said = at("said");
    const low = said.scrollHeight - said.scrollTop - said.clientHeight < 40;
    let li = key ? this.#lines.get(key) : undefined;
    if (!li) {
      li = document.createElement("li");
      li.dataset.role = role;
      list.append(li);
      if (key) this.#lines.set(key, li);
    }
    li.replaceChildren(...(role === "user" || role === "voice" ? [who(role)] : []), text);
    if (low) said.scrollTop = said.scrollHeight;
  }

  /** Shows a banner until it is hidden, with a button where something can be done. */
  banner(key: string, words: string, act?: { label: string; run: () => void }, alarm = false): void {
    this.hide(key);
    const box = document.createElement("div");
    box.className = "banner";
    if (alarm) box.dataset.kind = "alarm";
    const p = document.createElement("p");
    p.textContent = words;
    box.append(p);
    if (act) {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = act.label;
      b.onclick = act.run;
      box.append(b);
    }
    this.#banners.set(key, box);
    at("banners").append(box);
  }

  hide(key: string): void {
    this.#banners.get(key)?.remove();
    this.#banners.delete(key);
  }

  stats(s: Stats): void {
    at("rtt").textContent = s.rtt_ms === undefined ? "–" : `${s.rtt_ms} ms`;
    at("unacknowledged").textContent = duration(s.unacknowledged_ms);
    at("buffered").textContent = duration(s.buffered_ms);
    at("resumes").textContent = String(s.resumes);
    at("moves").textContent = String(s.moves);
    at("lost").textContent = duration(s.lost_ms);
    at("brief").textContent = brief(s);
  }

  ended(ended: Ended, s: Stats): void {
    const { title, words } = endWords(ended);
    at("after-title").textContent = title;
    at("after-words").textContent = words;
    const figures: [string, string][] = [
      ["Resumed", String(s.resumes)],
      ["Lost", duration(s.lost_ms)],
    ];
    if (ended.summary) figures.unshift(["Length", duration(ended.summary.duration_ms)]);
    at("after-figures").replaceChildren(...figures.map(([name, value]) => figure(name, value)));
    this.show("after");
    at("after").focus();
  }

  #animate(now: number): void {
    for (const wave of Object.values(this.#waves)) wave.draw(now, calm.matches);
    const level = Math.min(1, Math.sqrt(this.#level));
    at("meter").style.setProperty("--level", level.toFixed(3));
    at("mic").style.setProperty("--level", level.toFixed(3));
    this.#level *= 0.85;
    if (now - this.#saidAt < 500) return;
    this.#saidAt = now;
    at("meter").setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }
}

function who(role: "user" | "voice"): HTMLElement {
  const b = document.createElement("b");
  b.textContent = role === "user" ? "You" : "Voice";
  return b;
}

function figure(name: string, value: string): HTMLElement {
  const div = document.createElement("div");
  const dt = document.createElement("dt");
  const dd = document.createElement("dd");
  dt.textContent = name;
  dd.textContent = value;
  div.append(dt, dd);
  return div;
}
