// The golden vectors of proto, decoded and encoded by the client.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, encode, encodeBinary, nearest } from "../src/codec.js";
import type { AudioIn, Inbound } from "../src/proto.js";

interface Vector {
  name: string;
  direction: "client" | "server";
  kind: "text" | "binary";
  wire?: unknown;
  text?: string;
  hex?: string;
  next?: number;
  fields?: { seq: number; item?: number; pos?: number };
  encodes?: unknown;
  encodes_hex?: string;
  want?: { ignored?: boolean };
}

const folder = process.env.AILA_FRAMES ?? "../../proto/testdata/frames";
const vectors = readdirSync(folder)
  .filter((f) => f.endsWith(".json"))
  .map((f) => JSON.parse(readFileSync(`${folder}/${f}`, "utf8")) as Vector);

test("there are vectors of both directions and kinds", () => {
  for (const direction of ["client", "server"]) {
    for (const kind of ["text", "binary"]) {
      assert.ok(vectors.some((v) => v.direction === direction && v.kind === kind), `${direction} ${kind}`);
    }
  }
});

for (const v of vectors.filter((v) => v.direction === "server")) {
  test(`decodes ${v.name}`, () => {
    if (v.kind === "binary") return decodesBinary(v);
    const got = decode(v.text ?? JSON.stringify(v.wire), v.next ?? 1);
    if (v.want?.ignored && got === null) return;
    // Unknown fields and types come through: they are not the codec's to judge.
    const again = JSON.parse(encode(got as unknown as Inbound));
    const want = (v.encodes ?? v.wire) as Record<string, unknown>;
    for (const [name, value] of Object.entries(want)) assert.deepEqual(again[name], value, name);
  });
}

function decodesBinary(v: Vector): void {
  const bytes = Buffer.from(v.hex!, "hex");
  const got = decode(new Uint8Array(bytes).buffer, v.next!);
  if (v.want?.ignored) return assert.equal(got, null);
  assert.ok(got?.type === "audio_chunk");
  assert.deepEqual({ seq: got.seq, item: got.item, pos: got.pos }, v.fields);
  assert.equal(Buffer.from(got.data).toString("hex"), v.hex!.slice(32));
}

for (const v of vectors.filter((v) => v.direction === "client" && !v.want)) {
  test(`encodes ${v.name}`, () => {
    if (v.kind === "binary") return encodesBinary(v);
    const m = (v.encodes ?? v.wire ?? JSON.parse(v.text!)) as Inbound;
    const message = m.type === "audio_chunk" ? { ...m, data: new Uint8Array(Buffer.from(String(m.data), "base64")) } : m;
    assert.deepEqual(JSON.parse(encode(message)), m);
  });
}

function encodesBinary(v: Vector): void {
  const data = new Uint8Array(Buffer.from(v.hex!.slice(32), "hex"));
  const pos = Number(BigInt(`0x${v.hex!.slice(16, 32)}`));
  const m: AudioIn = { type: "audio_chunk", seq: v.fields!.seq, data };
  assert.equal(Buffer.from(encodeBinary(m, pos)).toString("hex"), v.hex);
  assert.equal(Buffer.from(encodeBinary({ ...m, seq: v.fields!.seq + 2 ** 32 }, pos)).toString("hex"), v.hex, "only the low 32 bits");
}

test("nearest finds the number near the next one", () => {
  assert.equal(nearest(5, 5), 5);
  assert.equal(nearest(4, 5), 4);
  assert.equal(nearest(1, 2 ** 32 + 3), 2 ** 32 + 1);
  assert.equal(nearest(0xffffffff, 2 ** 32 + 1), 2 ** 32 - 1);
  assert.equal(nearest(2, 2 ** 32 - 1), 2 ** 32 + 2);
  assert.equal(nearest(7, 3 * 2 ** 40 + 9), 3 * 2 ** 40 + 7);
});
