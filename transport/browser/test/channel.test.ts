// The channel against a server that fails on order: nothing may be lost, doubled or out of order.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { WebSocket } from "ws";
import { Channel, type ChannelOptions, type Phase } from "../src/channel.js";
import type { Ended } from "../src/closes.js";
import type { Outbound } from "../src/proto.js";
import type { Saved, Store } from "../src/store.js";
import { FakeServer } from "./fake.js";

Object.assign(globalThis, { WebSocket });

const FRAME = 480;
const rigs: Rig[] = [];
const servers: FakeServer[] = [];

after(async () => {
  for (const rig of rigs) rig.channel.end();
  await until(() => rigs.every((rig) => rig.ended), `all ends, not ${rigs.filter((rig) => !rig.ended).map((rig) => rig.phases)}`);
  for (const server of servers) await server.close();
});

class Rig {
  messages: Outbound[] = [];
  phases: Phase[] = [];
  movedSamples: number | undefined;
  ended: Ended | undefined;
  channel: Channel;
  #said = 0;

  constructor(
    readonly server: FakeServer,
    options: Partial<ChannelOptions> = {},
  ) {
    this.channel = new Channel(
      {
        receive: (m) => void this.messages.push(m),
        phase: (p) => void this.phases.push(p),
        moved: (samples) => (this.movedSamples = samples),
        over: (ended) => (this.ended = ended),
      },
      {
        url: server.url,
        token: () => undefined,
        audio: { encoding: "pcm16", sample_rate: 24000, channels: 1 },
        binary: true,
        patience: 3000,
        ...options,
      },
    );
    rigs.push(this);
  }

  // speak says frames that each hold their number.
  speak(frames: number): void {
    for (let i = 0; i < frames; i++) {
      this.channel.audio(new Uint8Array(new Int16Array(FRAME).fill(++this.#said).buffer), FRAME);
    }
  }

  get answered(): number[] {
    return this.messages.flatMap((m) => (m.type === "audio_chunk" ? [m.data[0]! | (m.data[1]! << 8)] : []));
  }

  count(type: Outbound["type"]): number {
    return this.messages.filter((m) => m.type === type).length;
  }
}

async function until(what: () => boolean, name: string): Promise<void> {
  for (const limit = Date.now() + 5000; !what(); await new Promise((r) => setTimeout(r, 5))) {
    if (Date.now() > limit) assert.fail(`waited in vain for ${name}`);
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

async function serve(): Promise<FakeServer> {
  const server = await FakeServer.listen();
  servers.push(server);
  return server;
}

for (const binary of [true, false]) {
  test(`audio goes there and back, ${binary ? "binary" : "as JSON"}`, async () => {
    const server = await serve();
    const rig = new Rig(server, { binary, token: () => "T.x-y_z" });
    rig.speak(40);
    await until(() => rig.answered.length === 40, "40 answers");
    assert.deepEqual(rig.answered, upTo(40));
    assert.ok(rig.messages.every((m) => m.type !== "audio_chunk" || m.item_id === "i1"));
    assert.deepEqual(server.protocols[0], ["aila.v1", "aila.token.T.x-y_z"]);
    await until(() => server.last.lastAck > 30, "acks");
    await until(() => rig.channel.rtt !== undefined, "a round trip");
    rig.channel.end();
    await until(() => rig.ended !== undefined, "the end");
    assert.equal(rig.ended?.reason, "client");
    assert.equal(rig.ended?.summary?.reason, "client");
  });
}

test("sockets that are cut twenty times lose and double nothing", async () => {
  const server = await serve();
  const rig = new Rig(server);
  await until(() => rig.channel.phase === "live", "the start");
  for (let i = 0; i < 20; i++) {
    rig.speak(5);
    await new Promise((r) => setTimeout(r, (i * 7) % 30));
    server.cut();
    rig.speak(5);
    await until(() => rig.channel.resumes === i + 1, `resume ${i + 1}`);
  }
  await until(() => rig.answered.length >= 200, "all answers");
  assert.deepEqual(rig.answered, upTo(200));
  assert.deepEqual(server.last.heard.map((h) => h.bytes!.readInt16LE()), upTo(200));
  assert.equal(server.last.doubled, 0);
  assert.equal(server.sessions.length, 1);
});

test("audio that the server refuses for its rate comes again from there", async () => {
  const server = await serve();
  let refused = 0;
  let hole = false;
  server.refuse = (s, m) => {
    if (m.seq === 10 && refused < 2) {
      refused++;
      hole = true;
      server.tell({ type: "error", code: "rate_limited", message: "too fast", fatal: false, client_seq: 10, retry_after_ms: 60 }, s);
    } else if (m.seq === 10) hole = false;
    return hole;
  };
  const rig = new Rig(server);
  rig.speak(30);
  await until(() => rig.answered.length === 30, "all answers");
  assert.deepEqual(rig.answered, upTo(30));
  assert.equal(refused, 2);
});

test("audio that the server will not have becomes a gap, and the rest goes on", async () => {
  const server = await serve();
  let hole = false;
  server.refuse = (s, m) => {
    if (m.seq === 3 && m.kind === "audio_chunk") {
      hole = true;
      server.tell({ type: "error", code: "bad_audio", message: "no", fatal: false, client_seq: 3 }, s);
    } else if (m.seq === 3) hole = false;
    return hole;
  };
  const rig = new Rig(server);
  rig.speak(6);
  await until(() => server.sessions.length > 0 && server.last.last === 6, "six messages");
  assert.deepEqual(server.last.heard.map((h) => h.kind), ["audio_chunk", "audio_chunk", "gap", "audio_chunk", "audio_chunk", "audio_chunk"]);
});

test("a drain moves to a new session with the unacknowledged audio first", async () => {
  const server = await serve();
  const rig = new Rig(server);
  rig.speak(20);
  await until(() => rig.answered.length === 20, "answers");
  server.tell({ type: "goaway", reason: "drain", time_left_ms: 300, action: "end" });
  await until(() => server.last.heard.at(-1)?.kind === "end", "the end in time");
  rig.speak(10);
  await until(() => server.sessions.length === 2 && server.last.last === 10, "the new session");
  assert.deepEqual(server.sessions[0]!.heard.filter((h) => h.bytes).map((h) => h.bytes!.readInt16LE()), upTo(20));
  assert.deepEqual(server.last.heard.map((h) => h.bytes!.readInt16LE()), upTo(30).slice(20));
  assert.deepEqual(server.last.heard.map((h) => h.seq), upTo(10));
  assert.ok(rig.phases.includes("moving"));
  assert.equal(rig.ended, undefined);
});

test("a server that stops before the client ended takes what it acknowledged, the next one the rest", async () => {
  const server = await serve();
  const rig = new Rig(server);
  rig.speak(16);
  await until(() => rig.answered.length === 16, "answers");
  server.refuse = () => true;
  rig.speak(5);
  server.tell({ type: "goaway", reason: "drain", time_left_ms: 60_000, action: "end" });
  server.end(server.last, "shutdown", 1012);
  server.refuse = () => false;
  await until(() => server.sessions.length === 2 && server.last.last === 5, "the new session");
  assert.deepEqual(server.last.heard.map((h) => h.bytes!.readInt16LE()), [17, 18, 19, 20, 21]);
  assert.equal(rig.movedSamples, 5 * FRAME);
});

test("a goaway that says resume is obeyed at once", async () => {
  const server = await serve();
  const rig = new Rig(server);
  rig.speak(3);
  await until(() => rig.answered.length === 3, "answers");
  server.tell({ type: "goaway", reason: "drain", time_left_ms: 30_000, action: "resume" });
  await until(() => rig.channel.resumes === 1, "the resume");
  rig.speak(3);
  await until(() => rig.answered.length === 6, "answers");
});

test("a page that is reloaded goes on in its session, with the next numbers", async () => {
  const server = await serve();
  let saved: Saved | undefined;
  const store: Store = { load: () => saved, save: (s) => (saved = s), clear: () => (saved = undefined) };
  const before = new Rig(server, { store });
  before.speak(7);
  await until(() => before.answered.length === 7, "answers");
  before.channel.leave();
  assert.ok(saved?.left);
  const reloaded = new Rig(server, { store });
  assert.equal(saved?.left, 0, "taken, so that no copy of the tab takes it too");
  reloaded.speak(3); // before anything is known
  await until(() => reloaded.answered.length === 3, "answers");
  assert.equal(server.sessions.length, 1);
  assert.deepEqual(server.last.heard.map((h) => h.seq), upTo(10));
  reloaded.channel.end();
  await until(() => reloaded.ended !== undefined, "the end");
  assert.equal(saved, undefined);
  before.channel.hurry(); // as if the browser had kept the old page and came back to it
  await until(() => before.ended?.reason === "lost", "the old page to see that its session is gone");
});

test("a page that now wants another voice does not get the session of before", async () => {
  const server = await serve();
  let saved: Saved | undefined;
  const store: Store = { load: () => saved, save: (s) => (saved = s), clear: () => (saved = undefined) };
  const before = new Rig(server, { store });
  await until(() => before.channel.phase === "live", "the start");
  saved = { ...saved!, left: Date.now() };
  const after = new Rig(server, { store, voice: "another" });
  await until(() => after.channel.phase === "live", "the start");
  assert.equal(server.sessions.length, 2);
});

test("a session of before that is no more is replaced by a new one", async () => {
  const server = await serve();
  const audio = { encoding: "pcm16", sample_rate: 24000, channels: 1 } as const;
  let saved: Saved | undefined = { url: server.url, session: "gone", token: "x", window_ms: 120000, audio, voice: "echo", last: 9, left: Date.now() };
  const rig = new Rig(server, { store: { load: () => saved, save: (s) => (saved = s), clear: () => (saved = undefined) } });
  rig.speak(3);
  await until(() => rig.answered.length === 3, "answers");
  assert.equal(rig.channel.id, "s1");
});

for (const [code, reason] of [
  [1008, "refused"],
  [1011, "failed"],
  [4500, "operator"],
  [4503, "lost"],
  [4504, "taken_over"],
  [4507, "error"],
] as const) {
  test(`a close ${code} ends it: ${reason}`, async () => {
    const server = await serve();
    const rig = new Rig(server);
    await until(() => rig.channel.phase === "live", "the start");
    server.last.socket?.close(code);
    await until(() => rig.ended !== undefined, "the end");
    assert.equal(rig.ended?.reason, reason);
    assert.equal(rig.ended?.code, code);
  });
}

for (const code of [1001, 1012, 4001, 4002, 4003]) {
  test(`a close ${code} is resumed`, async () => {
    const server = await serve();
    const rig = new Rig(server);
    await until(() => rig.channel.phase === "live", "the start");
    server.last.socket?.close(code);
    await until(() => rig.channel.resumes === 1, "the resume");
  });
}

test("a server that cannot be reached is tried for a while, then given up", async () => {
  const server = await serve();
  server.down = true;
  const rig = new Rig(server, { patience: 800 });
  await until(() => rig.ended !== undefined, "the end");
  assert.equal(rig.ended?.reason, "unreachable");
  assert.ok(server.connections > 1);
});

test("a token that is fetched in vain is fetched again; one that cannot be one is refused", async () => {
  const server = await serve();
  let fetched = 0;
  const token = async () => {
    if (++fetched < 3) throw new Error("no network");
    return "good";
  };
  const rig = new Rig(server, { token });
  await until(() => rig.channel.phase === "live", "the start");
  assert.deepEqual(server.protocols, [["aila.v1", "aila.token.good"]]);
  const bad = new Rig(server, { token: () => "no token…" });
  await until(() => bad.ended !== undefined, "the end");
  assert.equal(bad.ended?.reason, "refused");
});

test("an overloaded server is asked again when it says", async () => {
  const server = await serve();
  const rig = new Rig(server);
  await until(() => rig.channel.phase === "live", "the start");
  server.tell({ type: "error", code: "overloaded", message: "full", fatal: true, retry_after_ms: 400 });
  const asked = Date.now();
  server.last.socket?.close(1013);
  await until(() => rig.channel.resumes === 1, "the resume");
  assert.ok(Date.now() - asked >= 390);
});

test("a message that is missing makes the client fetch it", async () => {
  const server = await serve();
  const rig = new Rig(server);
  await until(() => rig.channel.phase === "live", "the start");
  const { socket } = server.last;
  server.last.socket = undefined;
  server.say({ type: "transcript", item_id: "i1", role: "user", text: "one", final: true });
  server.last.socket = socket;
  server.say({ type: "transcript", item_id: "i1", role: "voice", text: "two", final: true });
  await until(() => rig.count("transcript") === 2, "both");
  assert.deepEqual(rig.messages.flatMap((m) => (m.type === "transcript" ? [m.text] : [])), ["one", "two"]);
  assert.equal(rig.channel.resumes, 1);
});
