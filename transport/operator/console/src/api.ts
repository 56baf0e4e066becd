// The operators' API as the console uses it; openapi.json describes it.

export interface Session {
  id: string;
  state: string;
  voice: string;
  started_at: string;
  attached: boolean;
  remote: string;
  audio: { encoding: string; sample_rate: number; channels: number };
  frames_in: number;
  frames_out: number;
  samples_in: number;
  samples_out: number;
  samples_lost: number;
  restarts: number;
  resumes: number;
  queue_bytes: number;
  replay_bytes: number;
}

/** Happening is one event of the supervision log. */
export interface Happening {
  id: number;
  time: string;
  level: string;
  event: string;
  message: string;
  session?: string;
  actor?: string;
  voice?: string;
  seq?: number;
  reason?: string;
  restarts?: number;
  stack?: string;
  code?: number;
  count?: number;
  took_ms?: number;
  err?: string;
}

export interface Actor {
  name: string;
  path: string;
  session?: string;
  restarts: number;
  mailbox: number;
  children?: Actor[];
}

export interface Point {
  time_ms: number;
  sessions: number;
  frames_in: number;
  frames_out: number;
  p99_ms: number | null;
  restarts: number;
  failed: number;
}

export interface Overview {
  draining: boolean;
  fault_injection: boolean;
  can_drain: boolean;
  event_readers_dropped: number;
  stats: {
    sessions: Record<string, number> | null;
    started: number;
    ended: Record<string, number> | null;
    restarts: Record<string, number> | null;
    resumes: Record<string, number> | null;
    errors: Record<string, number> | null;
    backpressure_seconds: number;
  };
  history: Point[];
}

/** Refusal is an answer that is not a success, in the server's words. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

const key = "aila.operator.token";

/** token is the operator's, as long as this tab lives. */
export const token = {
  get: (): string => sessionStorage.getItem(key) ?? "",
  set: (t: string): void => sessionStorage.setItem(key, t),
  forget: (): void => sessionStorage.removeItem(key),
};

// The page may be served below a path of a proxy: every address is relative to it.
const base = new URL("api/v1/", document.baseURI);

/** request sends one request and gives the answer as it comes; a Refusal where it is one. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token.get()) headers.set("Authorization", `Bearer ${token.get()}`);
  const answer = await fetch(new URL(path, base), { ...init, headers, cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer;
  let code = "internal";
  let message = `the server answered ${answer.status}`;
  try {
    ({ code, message } = (await answer.json()).error);
  } catch {
    // Not ours: a proxy speaks. The status has to do.
  }
  throw new Refusal(answer.status, code, message);
}

/** get asks for JSON. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, { signal })).json();
}

const seg = encodeURIComponent;

export const endSession = (id: string) => request(`sessions/${seg(id)}`, { method: "DELETE" });

export const crashActor = (id: string, actor: string, onFrame: boolean) =>
  request(`sessions/${seg(id)}/actors/${seg(actor)}/crash${onFrame ? "?on=frame" : ""}`, { method: "POST" });

export const drain = () => request("drain", { method: "POST" });
