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
/** How a session ended whose socket closed with this code; undefined when it is to be resumed. */
export declare function ending(code: number): Ended["reason"] | undefined;
