// A small server that speaks aila.v1 with an echo for a voice, and fails on order.

import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

interface Heard {
  seq: number;
  kind: string;
  message: Record<string, unknown>;
  bytes?: Buffer;
}

class FakeSession {
  heard: Heard[] = []; // each numbered message once, in order
  doubled = 0;
  kept: { seq: number; data: string | Buffer }[] = [];
  seq = 0;
  said = 0; // samples of the item
  lastAck = 0;
  token = "t0";
  socket: WebSocket | undefined;
  binary = false;
  item = 0;

  constructor(readonly id: string) {}

  get last(): number {
    return this.heard.length;
  }
}

export class FakeServer {
  sessions: FakeSession[] = [];
  /** What was sent that carries no number. */
  mentioned: Record<string, unknown>[] = [];
  connections = 0;
  protocols: string[][] = [];
  /** Called with each message before it is taken; true: it is dropped. */
  refuse: (session: FakeSession, m: Heard) => boolean = () => false;
  /** Whether a connection is turned away. */
  down = false;
  #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      this.connections++;
      this.protocols.push((request.headers["sec-websocket-protocol"] ?? "").split(/, ?/));
      if (this.down) return socket.terminate();
      this.#serve(socket);
    });
  }

  static async listen(port = 0): Promise<FakeServer> {
    const server = new WebSocketServer({ port, handleProtocols: () => "aila.v1" });
    await new Promise((resolve) => server.on("listening", resolve));
    return new FakeServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  get last(): FakeSession {
    return this.sessions.at(-1)!;
  }

  async close(): Promise<void> {
    for (const c of this.#server.clients) c.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cuts the socket as a network would. */
  cut(session = this.last): void {
    session.socket?.terminate();
  }

  /** Says a message that is not numbered. */
  tell(m: object, session = this.last): void {
    session.socket?.send(JSON.stringify(m));
  }

  /** Says a numbered message. */
  say(m: Record<string, unknown>, session = this.last): void {
    this.#keep(session, JSON.stringify({ ...m, seq: ++session.seq }));
  }

  /** Says audio of an item, binary. */
  sayAudio(item: string, pos: number, samples: Int16Array, session = this.last): void {
    const head = Buffer.alloc(16);
    head[0] = 2;
    head.writeUInt16BE(Number(item.slice(1)), 2);
    head.writeUInt32BE(++session.seq, 4);
    head.writeBigUInt64BE(BigInt(pos), 8);
    this.#keep(session, Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]));
  }

  #keep(s: FakeSession, data: string | Buffer): void {
    s.kept.push({ seq: s.seq, data });
    s.socket?.send(data);
  }

  #serve(socket: WebSocket): void {
    let session: FakeSession | undefined;
    socket.on("message", (data: Buffer, binary) => {
      if (binary) return session && this.#number(session, { seq: data.readUInt32BE(4), kind: "audio_chunk", message: {}, bytes: data.subarray(16) });
      const m = JSON.parse(String(data));
      if (m.type === "ping") return socket.send(JSON.stringify({ type: "pong", t_ms: m.t_ms, server_ms: Date.now() }));
      if (m.action === "start") return (session = this.#start(socket, m));
      if (m.action === "resume") return (session = this.#resume(socket, m));
      if (!session) return socket.close(1008, "not started");
      if (m.seq && m.type !== "ack") {
        const bytes = m.type === "audio_chunk" ? Buffer.from(m.data, "base64") : undefined;
        return this.#number(session, { seq: m.seq, kind: m.action ?? m.type, message: m, bytes });
      }
      if (m.type === "ack") {
        session.kept = session.kept.filter((k) => k.seq > m.seq);
        session.lastAck = m.seq;
      }
      this.mentioned.push(m);
    });
  }

  #start(socket: WebSocket, m: Record<string, unknown>): FakeSession {
    const s = new FakeSession(`s${this.sessions.length + 1}`);
    this.sessions.push(s);
    s.socket = socket;
    s.binary = m.binary === true;
    const limits = { max_message_bytes: 262144, max_audio_rate: 2, replay_ms: 30000, idle_ms: 600000, session_ms: 14400000 };
    const resume = { token: s.token, window_ms: 120000 };
    this.say({ type: "session_started", session_id: s.id, resume, audio: m.audio, voice: "echo", durability: "memory", limits, heartbeat_ms: 10000 }, s);
    this.say({ type: "session_state", state: "listening" }, s);
    return s;
  }

  #resume(socket: WebSocket, m: Record<string, unknown>): FakeSession | undefined {
    const s = this.sessions.find((s) => s.id === m.session_id && s.token === m.token);
    if (!s) {
      socket.send(JSON.stringify({ type: "error", code: "resume_refused", message: "this session cannot be resumed with this token", fatal: true }));
      socket.close(4503, "resume refused");
      return undefined;
    }
    if (s.socket !== socket) s.socket?.close(4504);
    s.socket = socket;
    s.token = `t${Number(s.token.slice(1)) + 1}`;
    s.kept = s.kept.filter((k) => k.seq > Number(m.last_seq));
    const replay = { from: Number(m.last_seq) + 1, to: s.seq };
    this.tell({ type: "session_resumed", session_id: s.id, last_seq: s.last, replay, resume: { token: s.token, window_ms: 120000 } }, s);
    for (const k of s.kept) socket.send(k.data);
    return s;
  }

  #number(s: FakeSession, m: Heard): void {
    if (this.refuse(s, m)) return;
    if (m.seq !== s.last + 1) {
      if (m.seq <= s.last) s.doubled++;
      return;
    }
    s.heard.push(m);
    if (m.bytes) this.#echo(s, m.bytes);
    if (s.last % 16 === 0 || !m.bytes) this.tell({ type: "ack", seq: s.last, pos: 0 }, s);
    if (m.kind === "end") this.end(s, "client", 1000);
  }

  /** Ends a session. */
  end(s: FakeSession, reason: string, code: number): void {
    this.say({ type: "session_ended", reason, duration_ms: 1, samples_in: 0, samples_out: 0, samples_lost: 0, restarts: 0 }, s);
    s.socket?.close(code);
  }

  #echo(s: FakeSession, bytes: Buffer): void {
    if (s.item === 0) this.say({ type: "session_state", state: "speaking", item_id: "i1", item: (s.item = 1) }, s);
    const pos = s.said;
    s.said += bytes.length / 2;
    if (!s.binary) return this.say({ type: "audio_chunk", item_id: "i1", pos, re: s.last, data: bytes.toString("base64") }, s);
    this.sayAudio(`i${s.item}`, pos, new Int16Array(new Uint8Array(bytes).buffer), s);
  }
}
