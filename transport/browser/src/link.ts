// Link holds one WebSocket at a time and opens the next when the owner asks for it. It judges
// nothing: what a close means, and whether to come back, is the channel's business.

/** What a link tells its owner. */
export interface LinkOwner {
  /** The socket is open; nothing was sent on it yet. */
  opened(): void;
  message(data: string | ArrayBuffer): void;
  /** The socket is gone; code 1006 when it went without a word. */
  lost(code: number, reason: string): void;
}

/** How long a socket may take to open, in milliseconds. */
const CONNECT_MS = 10_000;

/** More bytes than this waiting in the browser, and a socket takes no more audio for now. */
export const HIGH_WATER = 64 * 1024;

/** Full jitter (anything from none to the whole delay, which doubles) for the attempt, from 0. */
export function fullJitter(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(10_000, 300 * 2 ** Math.min(attempt, 10));
}

export class Link {
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #blockedUntil = 0;

  constructor(
    private readonly owner: LinkOwner,
    private readonly url: string,
  ) {}

  /** Opens a socket after delay milliseconds, in place of one that there is. */
  open(protocols: () => Promise<string[]>, delay: number): void {
    this.close(4000);
    const blocked = this.#blockedUntil - Date.now();
    this.#timer = setTimeout(() => void this.#dial(protocols), Math.max(delay, blocked, 0));
  }

  /** Sends at once. It tells whether there was an open socket to send on. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(data);
    return true;
  }

  /** Bytes that wait in the browser. */
  get buffered(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Takes the socket for lost, whatever it says; nothing more is heard of it. */
  drop(code: number, reason: string): void {
    this.close(code >= 4000 ? code : 4000);
    this.owner.lost(code, reason);
  }

  /** As drop, and no socket is opened for ms milliseconds: a network that fails, for demos and tests. */
  cut(ms: number): void {
    this.#blockedUntil = Date.now() + ms;
    this.drop(1006, "cut");
  }

  /** Lets go of the socket without a word to the owner. */
  close(code: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    // A socket that still connects cannot say a code without an error in the console.
    if (socket.readyState === 0) socket.onopen = () => socket.close(code);
    else socket.close(code);
  }

  async #dial(protocols: () => Promise<string[]>): Promise<void> {
    const mine = (this.#timer = setTimeout(() => this.drop(1006, "no answer"), CONNECT_MS));
    let socket: WebSocket;
    let code = 1006; // a token that cannot be fetched may be fetched later
    try {
      const offered = await protocols();
      if (this.#timer !== mine) return; // closed, or opened again, while the token was fetched
      code = 1008; // an address or a token that cannot be one stays so
      socket = new WebSocket(this.url, offered);
    } catch (err) {
      if (this.#timer === mine) this.drop(code, String(err));
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(mine);
      this.owner.opened();
    };
    socket.onmessage = (e: MessageEvent) => this.owner.message(e.data);
    socket.onclose = (e: CloseEvent) => {
      clearTimeout(mine);
      this.#socket = undefined;
      this.owner.lost(e.code, e.reason);
    };
    this.#socket = socket;
  }
}
