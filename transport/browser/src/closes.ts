// What the end of a socket means (section 6 of the protocol).

import type { EndReason, SessionEnded } from "./proto.js";

/** How a session ended. */
export interface Ended {
  /**
   * The server's reason, or the client's: refused (by policy), lost (it cannot be resumed),
   * taken_over (by another connection), unreachable, error (a fault of the protocol).
   */
  reason: EndReason | "refused" | "lost" | "taken_over" | "unreachable" | "error";
  /** The close code of the last socket. */
  code: number;
  /** Why, in the server's words, for developers. */
  message: string;
  /** The server's count, where the session ended in order. */
  summary?: SessionEnded;
}

const STOPS: Record<number, Ended["reason"]> = {
  1000: "client",
  1002: "error",
  1003: "error",
  1007: "error",
  1008: "refused",
  1009: "error",
  1011: "failed",
  4500: "operator",
  4502: "refused",
  4503: "lost",
  4504: "taken_over",
  4505: "max_duration",
};

/** How a session ended whose socket closed with this code; undefined when it is to be resumed. */
export function ending(code: number): Ended["reason"] | undefined {
  return STOPS[code] ?? (code >= 4500 ? "error" : undefined);
}
