// Messages to and from the wire. Sending, audio may go as JSON or as a binary message;
// receiving, both are understood at any time.

import type { AudioIn, AudioOut, Inbound, Outbound } from "./proto.js";

const HEADER = 16;
const CLIENT_AUDIO = 1;
const SERVER_AUDIO = 2;

/** Encodes a message as JSON text. */
export function encode(m: Inbound): string {
  if (m.type !== "audio_chunk") return JSON.stringify(m);
  return JSON.stringify({ ...m, data: toBase64(m.data) });
}

/** Encodes audio as a binary message. pos is its first sample since the session began, or 0. */
export function encodeBinary(m: AudioIn, pos = 0): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(HEADER + m.data.length);
  const head = new DataView(out.buffer);
  head.setUint8(0, CLIENT_AUDIO);
  head.setUint32(4, (m.seq ?? 0) % 2 ** 32);
  head.setBigUint64(8, BigInt(pos));
  out.set(m.data, HEADER);
  return out;
}

/**
 * Decodes a message from the server. next is the server seq expected next: binary messages
 * carry only the low 32 bits of theirs. A message that is not of the protocol gives null, one
 * of an unknown type comes back as it is: it is for the caller to ignore.
 */
export function decode(message: string | ArrayBuffer, next: number): Outbound | null {
  if (typeof message !== "string") return decodeBinary(message, next);
  try {
    const m = JSON.parse(message);
    if (typeof m?.type !== "string") return null;
    if (m.type === "audio_chunk") m.data = fromBase64(m.data);
    return m;
  } catch {
    return null;
  }
}

function decodeBinary(message: ArrayBuffer, next: number): AudioOut | null {
  if (message.byteLength < HEADER) return null;
  const head = new DataView(message);
  if (head.getUint8(0) !== SERVER_AUDIO || head.getUint8(1) !== 0) return null;
  return {
    type: "audio_chunk",
    seq: nearest(head.getUint32(4), next),
    item: head.getUint16(2),
    item_id: "",
    pos: Number(head.getBigUint64(8)),
    data: new Uint8Array(message, HEADER),
  };
}

/** The sequence number with these low 32 bits that is nearest to next. */
export function nearest(low: number, next: number): number {
  return next + ((low - (next % 2 ** 32)) | 0);
}

/** Base64 in the standard alphabet with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x2000));
  }
  return btoa(text);
}

/** The bytes of base64 text; throws when it is not. */
export function fromBase64(text: string): Uint8Array {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  return bytes;
}
