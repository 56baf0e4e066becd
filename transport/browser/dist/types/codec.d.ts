import type { AudioIn, Inbound, Outbound } from "./proto.js";
/** Encodes a message as JSON text. */
export declare function encode(m: Inbound): string;
/** Encodes audio as a binary message. pos is its first sample since the session began, or 0. */
export declare function encodeBinary(m: AudioIn, pos?: number): Uint8Array<ArrayBuffer>;
/**
 * Decodes a message from the server. next is the server seq expected next: binary messages
 * carry only the low 32 bits of theirs. A message that is not of the protocol gives null, one
 * of an unknown type comes back as it is: it is for the caller to ignore.
 */
export declare function decode(message: string | ArrayBuffer, next: number): Outbound | null;
/** The sequence number with these low 32 bits that is nearest to next. */
export declare function nearest(low: number, next: number): number;
/** Base64 in the standard alphabet with padding. */
export declare function toBase64(bytes: Uint8Array): string;
/** The bytes of base64 text; throws when it is not. */
export declare function fromBase64(text: string): Uint8Array;
