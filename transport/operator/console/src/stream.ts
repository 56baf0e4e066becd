// The event stream, read by fetch: EventSource cannot send the operator's token.

import { request, Refusal, type Happening } from "./api";

export interface Listener {
  happened(events: Happening[]): void;
  /** missed: events that the server no longer had. */
  missed(from: number, to: number): void;
  opened(): void;
  lost(): void;
  refused(r: Refusal): void;
}

/** follow reads events after an id, for ever: it takes up again where it was cut. */
export async function follow(after: number, on: Listener): Promise<void> {
  let wait = 500;
  for (;;) {
    const quiet = new AbortController();
    try {
      const answer = await request(`events?after=${after}`, { signal: quiet.signal });
      on.opened();
      wait = 500;
      after = await read(answer.body!, after, on, quiet);
    } catch (e) {
      if (e instanceof Refusal && (e.status === 401 || e.status === 403)) {
        on.refused(e);
        return;
      }
      // The network, or a server that is going: try again.
    }
    on.lost();
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(wait * 2, 5000);
  }
}

/** silence is how long a stream may say nothing, its heartbeats included. */
const silence = 25_000;

async function read(body: ReadableStream<Uint8Array<ArrayBuffer>>, after: number, on: Listener, quiet: AbortController): Promise<number> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const alarm = setTimeout(() => quiet.abort(), silence);
    const { done, value } = await reader.read().finally(() => clearTimeout(alarm)).catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) return after;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop() ?? "";
    const events: Happening[] = [];
    for (const m of messages) {
      const { name, data } = parse(m);
      if (!data) continue;
      if (name === "missed") on.missed(JSON.parse(data).from, JSON.parse(data).to);
      else if (name === "") events.push(JSON.parse(data));
    }
    if (events.length === 0) continue;
    after = events[events.length - 1].id;
    on.happened(events);
  }
}

function parse(message: string): { name: string; data: string } {
  let name = "";
  let data = "";
  for (const line of message.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  return { name, data };
}
