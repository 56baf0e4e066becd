// The load of `aila load`, for those who have k6 (https://k6.io, 1.0 or newer): sessions that talk
// in real time, every echo compared with what was said, times from when a frame was due.
//
//   k6 run -e URL=ws://127.0.0.1:3001/ws -e CLIENTS=100 -e SECONDS=30 cmd/aila/load/k6.js
//   k6 run -e AUDIO=speech.wav -e TOKEN=... cmd/aila/load/k6.js       (a WAV of 24 kHz, 16 bits, mono)
//
// k6 costs many times what `aila load` does for each client, and its times are of its own event
// loop: it shows that any client can hold a session, not what the server can bear.
import { WebSocket } from 'k6/websockets';
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { SharedArray } from 'k6/data';
import encoding from 'k6/encoding';

const url = __ENV.URL || 'ws://127.0.0.1:3001/ws';
const clients = Number(__ENV.CLIENTS || 20);
const seconds = Number(__ENV.SECONDS || 10);
const frameMs = Number(__ENV.FRAME_MS || 20);
const bytes = 48 * frameMs; // 24 kHz, 16 bits, mono
const audio = __ENV.AUDIO ? open(__ENV.AUDIO, 'b') : null;

export const options = {
  scenarios: { talk: { executor: 'per-vu-iterations', vus: clients, iterations: 1, maxDuration: `${seconds + 30}s` } },
  thresholds: {
    aila_round_trip: ['p(99)<50'],
    aila_lost: ['count==0'],
    aila_doubled: ['count==0'],
    aila_differing: ['count==0'],
    aila_errors: ['count==0'],
    checks: ['rate==1'],
  },
};

const roundTrip = new Trend('aila_round_trip', true);
const sent = new Counter('aila_sent');
const heard = new Counter('aila_heard');
const lost = new Counter('aila_lost');
const doubled = new Counter('aila_doubled');
const differing = new Counter('aila_differing');
const errors = new Counter('aila_errors');

// frames are what is said, in base64: the recording, or noise of which no two frames are alike.
const frames = new SharedArray('frames', () => {
  const all = [];
  if (audio) {
    for (let at = 44; at + bytes <= audio.byteLength; at += bytes) all.push(encoding.b64encode(audio.slice(at, at + bytes)));
    return all;
  }
  let x = 1;
  for (let i = 0; i < 500; i++) {
    const b = new Uint8Array(bytes);
    for (let j = 0; j < bytes; j++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      b[j] = x >>> 24;
    }
    all.push(encoding.b64encode(b.buffer));
  }
  return all;
});

export default function () {
  const headers = __ENV.TOKEN ? { Authorization: `Bearer ${__ENV.TOKEN}` } : {};
  const ws = new WebSocket(url, 'aila.v1', { headers });
  const waiting = new Map(); // by seq: what was said and when it was due
  const from = (__VU * 37) % frames.length;
  let seq = 0, told = 0, began = 0, timer = null, ended = false;
  // Spread over the period, or all clients would speak at once.
  const phase = ((__VU * 0.618) % 1) * frameMs;

  const speak = () => {
    // A timer that comes late finds several frames due.
    for (;;) {
      const due = began + phase + seq * frameMs;
      if (due > Date.now()) return;
      if (due > began + seconds * 1000) {
        clearInterval(timer);
        ws.send(JSON.stringify({ type: 'session_control', action: 'end', seq: ++seq }));
        return;
      }
      const data = frames[(from + seq) % frames.length];
      seq++;
      waiting.set(seq, { data, due });
      ws.send(`{"type":"audio_chunk","seq":${seq},"data":"${data}"}`);
      sent.add(1);
    }
  };
  const hear = (m) => {
    const said = waiting.get(m.re);
    if (!said) return doubled.add(1);
    waiting.delete(m.re);
    roundTrip.add(Date.now() - said.due);
    heard.add(1);
    if (m.data !== said.data) differing.add(1);
  };

  ws.onopen = () => ws.send('{"type":"session_control","action":"start","voice":"echo"}');
  ws.onmessage = (e) => {
    const m = JSON.parse(e.data);
    if (m.seq && m.type !== 'ack' && m.seq - told >= 16) {
      told = m.seq;
      ws.send(`{"type":"ack","seq":${told}}`);
    }
    switch (m.type) {
      case 'session_started':
        began = Date.now();
        timer = setInterval(speak, frameMs / 2);
        break;
      case 'audio_chunk':
        hear(m);
        break;
      case 'error':
        errors.add(1, { code: m.code });
        break;
      case 'session_ended':
        ended = true;
        ws.send(`{"type":"ack","seq":${m.seq}}`);
        check(m, { 'ended by agreement': (x) => x.reason === 'client', 'server lost nothing': (x) => x.samples_lost === 0 });
    }
  };
  ws.onerror = () => errors.add(1, { code: 'socket' });
  ws.onclose = () => {
    clearInterval(timer);
    lost.add(waiting.size);
    check(ended, { 'session was ended': (x) => x });
  };
}
