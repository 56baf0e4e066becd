// A common design: ws attached to an Express HTTP server on one port, clients in a Map, JSON
// messages routed by type, audio decoded from base64 and echoed. With NUMBERED=1 it numbers and
// acknowledges what it says as aila.v1 asks, so that `aila load` can talk to it.
const express = require('express');
const http = require('http');
const { WebSocketServer } = require('ws');

const numbered = process.env.NUMBERED === '1';
const app = express();
app.get('/healthz', (_, res) => res.send('ok'));
const server = http.createServer(app);
const wss = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false });
const clients = new Map();
let next = 0;

const handlers = {
  session_control(c, m) {
    if (m.action === 'start') {
      c.audio = m.audio;
      say(c, { type: 'session_started', session_id: c.id, resume: { token: c.id, window_ms: 1000 }, audio: m.audio, voice: 'echo', heartbeat_ms: 10000 });
    } else if (m.action === 'end' && numbered) {
      c.ws.send(JSON.stringify({ type: 'ack', seq: m.seq, pos: c.bytes / 2 }));
      say(c, { type: 'session_ended', reason: 'client', samples_in: c.bytes / 2, samples_out: c.bytes / 2 });
      c.ws.close(1000);
    }
  },
  audio_chunk(c, m) {
    const pcm = Buffer.from(m.data, 'base64');
    c.bytes += pcm.length;
    if (!numbered) {
      c.ws.send(JSON.stringify({ type: 'audio_chunk', seq: m.seq, data: pcm.toString('base64') }));
      return;
    }
    say(c, { type: 'audio_chunk', data: pcm.toString('base64'), item_id: 'a', re: m.seq });
    if (m.seq % 16 === 0) c.ws.send(JSON.stringify({ type: 'ack', seq: m.seq, pos: c.bytes / 2 }));
  },
  ack() {},
};

function say(c, m) {
  if (numbered) m.seq = ++c.seq;
  c.ws.send(JSON.stringify(m));
}

wss.on('connection', (ws) => {
  const c = { id: 's' + ++next, ws, bytes: 0, seq: 0 };
  clients.set(c.id, c);
  ws.on('message', (data) => {
    let m;
    try { m = JSON.parse(data); } catch { ws.send('{"type":"error","code":"bad_json","message":"not JSON"}'); return; }
    const handler = handlers[m.type];
    if (!handler) { ws.send('{"type":"error","code":"unknown_type","message":"unknown type"}'); return; }
    try { handler(c, m); } catch (e) { console.error(e); }
  });
  ws.on('close', () => clients.delete(c.id));
  ws.on('error', () => clients.delete(c.id));
});
server.listen(process.env.PORT || 3001, '127.0.0.1');
