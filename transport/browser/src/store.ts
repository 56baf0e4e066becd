// What a page must remember to take its session up again after a reload. Never audio, never
// words: only the keys to a session that waits on the server for a short while.

import type { Format } from "./proto.js";

/** A session that a page left. */
export interface Saved {
  url: string;
  session: string;
  token: string;
  window_ms: number;
  audio: Format;
  voice: string;
  /** The highest server seq that the page had. */
  last: number;
  /** When the page left, in milliseconds since 1970; 0: it has not, so the session is not free to take. */
  left: number;
}

/** Where it is remembered. */
export interface Store {
  load(): Saved | undefined;
  save(saved: Saved): void;
  clear(): void;
}

/** A store in the tab's sessionStorage; it does nothing where there is none. */
export function tabStore(key = "aila.session"): Store {
  const safely = <T>(act: (s: Storage) => T): T | undefined => {
    try {
      return act(sessionStorage);
    } catch {
      return undefined; // blocked by the browser's settings, or full
    }
  };
  return {
    load: () => safely((s) => JSON.parse(s.getItem(key) ?? "null") ?? undefined),
    save: (saved) => void safely((s) => s.setItem(key, JSON.stringify(saved))),
    clear: () => void safely((s) => s.removeItem(key)),
  };
}
