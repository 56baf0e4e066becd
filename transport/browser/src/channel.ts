// Channel is a session's two numbered streams of messages over sockets that may fail: what
// is given to it arrives once, in order, and so does what it gives on. It knows no audio device
// and no page. It lives from open to one call of over; drains move it to a new session.

import { ending, type Ended } from "./closes.js";
import { decode, encode, encodeBinary } from "./codec.js";
import { Inbox } from "./inbox.js";
import { fullJitter, HIGH_WATER, Link } from "./link.js";
import type * as p from "./proto.js";
import { Pulse } from "./pulse.js";
import { Ring } from "./ring.js";
import type { Saved, Store } from "./store.js";

/** What a channel is doing: moving is on the way to a new session after a drain. */
export type Phase = "connecting" | "live" | "reconnecting" | "moving" | "over";

export interface ChannelOwner {
  /** Takes each message from the server once; audio has its item_id. */
  receive(m: p.Outbound): void;
  phase(phase: Phase, why: string): void;
  /** A new session was begun on a new server; so many samples of audio came along. */
  moved(samples: number): void;
  over(ended: Ended): void;
}

export interface ChannelOptions {
  url: string;
  token: () => string | undefined | Promise<string | undefined>;
  voice?: string;
  audio: p.Format;
  binary: boolean;
  metadata?: Record<string, string>;
  store?: Store;
  /** How long the first connection may take, in milliseconds. */
  patience: number;
}

/** How long a client that must move waits for a server that takes it. */
const MOVE_MS = 120_000;
/** How long an end that is wanted now waits for the server. */
const LAST_MS = 2_000;
/** How much unacknowledged audio is kept, in seconds: over the time that a session waits for its client. */
const KEEP_SECONDS = 150;

export class Channel {
  readonly ring: Ring;
  phase: Phase = "connecting";
  id = "";
  format: p.Format;
  voice = "";
  resumes = 0;
  /** The last round trip, in milliseconds. */
  rtt: number | undefined;

  #link: Link;
  #inbox: Inbox;
  #grant: p.ResumeGrant | undefined;
  #fresh = false; // a page that was reloaded does not know its numbers before the server says them
  #replayTo = 0;
  #items = new Map<number, string>();
  #attempt = 0;
  #lostAt: number;
  #held = false; // the server asked for time; a timer ends it
  #barrier = 0; // seq of the end that was said; nothing after it goes to this session
  #moving = false; // the session will end, and this client goes on in another
  #mover: ReturnType<typeof setTimeout> | undefined;
  #carried = 0;
  #fault: p.Fault | undefined;
  #summary: p.SessionEnded | undefined;
  #pulse: Pulse;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly owner: ChannelOwner,
    private readonly options: ChannelOptions,
  ) {
    this.format = options.audio;
    this.ring = new Ring(this.format.sample_rate, KEEP_SECONDS * this.format.sample_rate);
    this.#inbox = new Inbox((seq) => {
      this.#save(0); // first: the server forgets what is acknowledged
      if (this.phase === "live") this.#link.send(encode({ type: "ack", seq }));
    });
    this.#link = new Link({ opened: () => this.#hello(), message: (d) => this.#read(d), lost: (c, r) => this.#lost(c, r) }, options.url);
    this.#lostAt = Date.now();
    this.#adopt(options.store?.load());
    this.#pulse = new Pulse(
      () => this.phase === "live",
      () => this.mention({ type: "ping", t_ms: Math.round(performance.now()) }),
      (why) => this.#link.drop(1006, why),
      () => this.hurry(),
    );
    this.#dial(0);
  }

  /** Numbers audio and sends it as soon as it may go. */
  audio(data: Uint8Array, samples: number): void {
    this.ring.audio(data, samples);
    this.#pump();
  }

  /** Says that there is no audio for so many samples. */
  gap(samples: number, reason: p.GapIn["reason"]): void {
    this.ring.gap(samples, reason);
    this.#pump();
  }

  /** Numbers any other message and sends it as soon as it may go. */
  say(message: p.Control | p.Interrupt | p.TextIn): void {
    this.ring.push(message);
    this.#pump();
  }

  /** Sends what is not numbered; it is not sent when there is no live socket. */
  mention(message: p.Playback | p.Refresh | p.Ping): void {
    if (this.phase === "live") this.#link.send(encode(message));
  }

  /**
   * Finishes the session: what was said before is still heard and answered. With now, it does
   * not wait long for a server that does not answer.
   */
  end(now = false): void {
    if (this.phase === "over") return;
    this.#moving = false;
    if (now) setTimeout(() => this.phase !== "over" && this.#over("client", 1000, "ended without the server"), LAST_MS);
    if (!this.#grant) return this.#over("client", 1000, "ended before it began");
    if (!this.#barrier) this.#barrier = this.ring.push({ type: "session_control", action: "end" });
    this.#pump();
  }

  /** Asks for an answer now, or dials now: the network changed, or the machine woke. */
  hurry(): void {
    if (this.phase === "over") return;
    if (this.phase === "live") this.#pulse.probe();
    else this.#dial(0);
  }

  /** The page goes away: the session waits for it, or for its next life. */
  leave(): void {
    if (this.phase === "over") return;
    this.#inbox.flush();
    this.#save(Date.now());
    this.#link.drop(1001, "page left");
    this.#link.close(1001);
  }

  /** Fails as a network would, for ms milliseconds. */
  cut(ms: number): void {
    if (this.phase !== "over") this.#link.cut(ms);
  }

  #adopt(saved: Saved | undefined): void {
    const { url, audio, voice } = this.options;
    if (voice && voice !== saved?.voice) return;
    if (!saved || saved.url !== url || !saved.left || Date.now() > saved.left + saved.window_ms) return;
    if (JSON.stringify(saved.audio) !== JSON.stringify(audio)) return;
    this.id = saved.session;
    this.voice = saved.voice;
    this.#grant = { token: saved.token, window_ms: saved.window_ms };
    this.#inbox.reset(saved.last);
    this.#fresh = true;
    this.#save(0); // taken: another tab with a copy of the store must not take it too
  }

  #dial(delay: number): void {
    this.#link.open(async () => {
      const token = await this.options.token();
      return token ? ["aila.v1", `aila.token.${token}`] : ["aila.v1"];
    }, delay);
  }

  #hello(): void {
    this.#pulse.heard();
    const { audio, voice, binary, metadata } = this.options;
    const last_seq = this.#inbox.last;
    if (this.#grant) {
      const { token } = this.#grant;
      this.#link.send(encode({ type: "session_control", action: "resume", session_id: this.id, token, last_seq }));
    } else {
      this.#link.send(encode({ type: "session_control", action: "start", audio, voice, binary, metadata }));
    }
  }

  #read(data: string | ArrayBuffer): void {
    this.#pulse.heard();
    const m = decode(data, this.#inbox.last + 1);
    if (!m) return;
    if ("seq" in m && m.type !== "ack") {
      const verdict = this.#inbox.take(m.seq);
      if (verdict === "hole") return this.#link.drop(4000, "a message is missing");
      if (verdict === "old") return;
    }
    this.#act(m);
    if (this.phase !== "over" || m.type === "session_ended") this.owner.receive(m);
  }

  // act does what a message asks of the channel itself.
  #act(m: p.Outbound): void {
    switch (m.type) {
      case "session_started":
        return this.#started(m);
      case "session_resumed":
        return this.#resumed(m);
      case "session_state":
        if (m.item && m.item_id) this.#items.set(m.item, m.item_id);
        return;
      case "audio_chunk":
        if (m.item !== undefined) m.item_id = this.#items.get(m.item) ?? `#${m.item}`;
        return;
      case "ack":
        this.ring.ack(m.seq);
        return this.#pump();
      case "pong":
        if (m.t_ms !== undefined) this.rtt = Math.max(0, Math.round(performance.now()) - m.t_ms);
        return;
      case "goaway":
        return this.#goaway(m);
      case "error":
        return this.#refused(m);
      case "session_ended":
        this.#summary = m;
        return this.#inbox.flush();
    }
  }

  #started(m: p.SessionStarted): void {
    if (m.seq <= this.#replayTo) return;
    this.id = m.session_id;
    this.voice = m.voice;
    this.#grant = m.resume;
    this.#live("started");
    if (this.#carried) this.owner.moved(this.#carried - 1);
    this.#carried = 0;
  }

  #resumed(m: p.SessionResumed): void {
    this.#grant = m.resume;
    this.#replayTo = m.replay.to;
    this.resumes++;
    if (this.#fresh) this.ring.renumber(m.last_seq + 1);
    else if (!this.ring.ack(m.last_seq) || m.last_seq < this.ring.acked) return this.#over("lost", 4503, "the server has lost what it acknowledged");
    this.#fresh = false;
    this.ring.rewind(m.last_seq + 1);
    this.#live("resumed");
  }

  #live(why: string): void {
    this.#attempt = 0;
    this.#held = false;
    this.#fault = undefined;
    this.#save(0);
    this.#phase("live", why);
    this.#pulse.beat();
    this.#pump();
  }

  #goaway(m: p.GoAway): void {
    if (m.action === "resume") {
      this.#link.drop(1012, "goaway");
      return;
    }
    if (m.reason === "max_duration") return; // this session has had its time: another is for people to decide
    this.#moving = true;
    // Some of the time that is left is kept for what is pending.
    clearTimeout(this.#mover);
    this.#mover = setTimeout(() => this.#leaveForNew(), m.time_left_ms - Math.min(3000, m.time_left_ms / 3));
  }

  #refused(m: p.Fault): void {
    if (m.fatal) this.#fault = m;
    const seq = m.client_seq ?? this.ring.acked + 1;
    switch (m.code) {
      case "rate_limited":
        this.#held = true;
        this.ring.rewind(seq);
        return this.#pumpLater(m.retry_after_ms ?? 500);
      case "bad_seq":
        this.ring.rewind(this.ring.acked + 1);
        return this.#pumpLater(500);
      case "bad_audio":
      case "bad_field":
        if (m.client_seq && this.ring.mend(seq)) {
          this.ring.rewind(seq);
          this.#pump();
        }
    }
  }

  #pump(): void {
    if (this.phase !== "live" || this.#held) return;
    for (let e = this.ring.peek(); e; e = this.ring.peek()) {
      if (this.#barrier && e.seq > this.#barrier) return;
      if (this.#link.buffered > HIGH_WATER) return this.#pumpLater(50);
      const m = e.message;
      const data = m.type === "audio_chunk" && this.options.binary ? encodeBinary(m, e.pos) : encode(m);
      if (!this.#link.send(data)) return;
      this.ring.advance();
    }
  }

  #pumpLater(ms: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#held = false;
      this.#pump();
    }, ms);
  }

  // leaveForNew ends the draining session; what comes from now on waits for the next one.
  #leaveForNew(): void {
    if (!this.#moving) return; // meanwhile the user ended, or the move is made
    if (!this.#barrier) this.#barrier = this.ring.push({ type: "session_control", action: "end" });
    this.#pump();
  }

  #lost(code: number, reason: string): void {
    clearTimeout(this.#retry);
    if (this.phase === "over") return;
    const verdict = this.#judge(code);
    if (verdict === "move") return this.#renew();
    if (verdict === "lost" && this.#fresh) return this.#forget();
    if (verdict !== "again") return this.#over(verdict, code, this.#fault?.message ?? reason);
    const now = Date.now();
    if (this.phase === "live") {
      this.#lostAt = now;
      this.#phase("reconnecting", reason || String(code));
    }
    if (now - this.#lostAt > this.#patience()) return this.#over(this.#grant ? "lost" : "unreachable", code, reason);
    this.#dial(this.#fault?.retry_after_ms ?? fullJitter(this.#attempt));
    this.#fault = undefined;
    this.#attempt++;
  }

  // patience is how long to go on trying, in milliseconds since the last socket that worked.
  #patience(): number {
    if (this.phase === "reconnecting") return (this.#grant?.window_ms ?? 0) + 5000;
    return this.phase === "moving" ? MOVE_MS : this.options.patience;
  }

  // judge tells what a close means: again, move to a new session, or how the session ended.
  #judge(code: number): "again" | "move" | Ended["reason"] {
    if (this.#moving && (this.#summary || [1011, 1012, 4503, 4505].includes(code))) return "move";
    if (this.#summary?.reason === "shutdown" && !this.#barrier) return "move";
    if (this.#summary) return this.#summary.reason;
    return ending(code) ?? "again";
  }

  // forget gives up the session of the page before, which is no more, and starts one.
  #forget(): void {
    this.#fresh = false;
    this.#grant = this.#fault = undefined;
    this.id = "";
    this.#inbox.reset(0);
    this.options.store?.clear();
    this.#dial(0);
  }

  // renew begins a new session with what the old one did not acknowledge.
  #renew(): void {
    this.#grant = this.#summary = this.#fault = undefined;
    this.#moving = false;
    this.#barrier = this.#replayTo = this.#attempt = 0;
    this.#items.clear();
    this.#inbox.reset(0);
    this.ring.renumber(1);
    this.#carried = this.ring.held + 1;
    this.#lostAt = Date.now();
    this.#phase("moving", "drain");
    this.#dial(fullJitter(0));
  }

  #save(left: number): void {
    if (!this.#grant || this.#moving) return;
    const { url, audio, store } = this.options;
    store?.save({ url, session: this.id, ...this.#grant, audio, voice: this.voice, last: this.#inbox.last, left });
  }

  #phase(phase: Phase, why: string): void {
    this.phase = phase;
    this.owner.phase(phase, why);
  }

  #over(reason: Ended["reason"], code: number, message: string): void {
    this.#pulse.stop();
    clearTimeout(this.#retry);
    clearTimeout(this.#mover);
    this.#link.close(1000);
    this.#inbox.reset(this.#inbox.last);
    this.options.store?.clear();
    this.phase = "over";
    this.owner.over({ reason, code, message, summary: this.#summary });
  }
}
