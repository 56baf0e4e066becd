// Stage is what the tests in Chromium stand on: servers, a network that can be cut, a browser
// with a microphone that plays a file, and ears.

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { resolve } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import type { Session } from "../src/aila.js";

export const RATE = 24000;
const { BIN = "", CHROMIUM = "/usr/bin/chromium" } = process.env;
export const SPEECH = resolve("../../cmd/aila/testdata/speech.wav");

/** A running `aila serve`. */
export class Aila {
  log = "";
  exited: Promise<number | null>;

  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
  ) {
    process.stderr?.on("data", (d) => (this.log += d));
    this.exited = new Promise((resolve) => process.on("exit", resolve));
  }

  static async serve(...args: string[]): Promise<Aila> {
    const port = await freePort();
    const aila = new Aila(port, spawn(BIN, ["serve", "--listen", `127.0.0.1:${port}`, "--log-format", "json", ...args], { stdio: ["ignore", "ignore", "pipe"] }));
    for (let i = 0; i < 200; i++) {
      if (await fetch(`http://127.0.0.1:${port}/readyz`).then((r) => r.ok, () => false)) return aila;
      await sleep(25);
    }
    throw new Error(`aila serve does not get ready:\n${aila.log}`);
  }

  async get(path: string): Promise<any> {
    return (await fetch(`http://127.0.0.1:${this.port}${path}`)).json();
  }

  async stop(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** The network between the browser and a server: it can be cut, and led elsewhere. */
export class Network {
  #sockets = new Set<Socket>();
  #server: Server;
  cuts = 0;

  private constructor(public upstream: number) {
    this.#server = createServer((socket) => this.#join(socket));
  }

  static async to(aila: Aila): Promise<Network> {
    const n = new Network(aila.port);
    await new Promise<void>((resolve) => n.#server.listen(0, "127.0.0.1", resolve));
    return n;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Carries nothing any more on the connections that there are, and does not say so. */
  swallow(): void {
    for (const s of this.#sockets) {
      s.unpipe();
      s.on("data", () => {});
    }
  }

  /** Resets every connection, in the middle of whatever it carries. */
  cut(): void {
    this.cuts++;
    for (const s of this.#sockets) s.resetAndDestroy();
    this.#sockets.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(socket: Socket): void {
    const up = connect(this.upstream, "127.0.0.1");
    for (const s of [socket, up]) {
      this.#sockets.add(s);
      s.setNoDelay();
      s.on("error", () => {});
      s.on("close", () => {
        this.#sockets.delete(s);
        (s === up ? socket : up).destroy();
      });
    }
    socket.pipe(up).pipe(socket);
  }
}

/** What a page heard and played, sample for sample. */
export interface Ears {
  captured: Int16Array;
  answered: Int16Array;
  played: Int16Array;
}

const browsers: Browser[] = [];

/** Opens a browser whose microphone plays a file once; without a file it hums. */
export async function launch(wav?: string, ...flags: string[]): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  args.push("--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream");
  if (wav) args.push(`--use-file-for-fake-audio-capture=${wav}%noloop`);
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...args, ...flags] });
  browsers.push(browser);
  return browser;
}

export async function leave(): Promise<void> {
  for (const b of browsers) await b.close();
}

/** A page that keeps what its session hears, from the first frame on, and every complaint of the browser. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page & { complaints: string[] }> {
  const context = await browser.newContext({ permissions: ["microphone"], ...options });
  const page = Object.assign(await context.newPage(), { complaints: [] as string[] });
  page.on("console", (m) => (m.type() === "error" || m.type() === "warning") && page.complaints.push(m.text()));
  page.on("pageerror", (e) => page.complaints.push(String(e)));
  await page.addInitScript(listenIn);
  await page.goto(url);
  return page;
}

// listenIn runs in the page: it hears a session as soon as the page has one.
function listenIn(): void {
  const w = window as any;
  w.ears = { captured: [], answered: [], played: [] };
  w.states = [];
  let session: Session;
  Object.defineProperty(w, "aila", {
    get: () => session,
    set(s: Session) {
      session = s;
      const keep = (list: number[]) => (e: { samples: Int16Array }) => list.push(...e.samples);
      s.on("captured", keep(w.ears.captured));
      s.on("audio", keep(w.ears.answered));
      s.on("played", keep(w.ears.played));
      s.on("state", (e) => w.states.push(e.state));
    },
  });
}

/** What the page has heard so far. */
export async function ears(page: Page): Promise<Ears> {
  const words = async (name: string) => {
    const bytes = Buffer.from(await page.evaluate(take, name), "base64");
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  };
  return { captured: await words("captured"), answered: await words("answered"), played: await words("played") };
}

// take runs in the page: samples as base64.
async function take(name: string): Promise<string> {
  const samples = Int16Array.from((window as any).ears[name]);
  const url: string = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsDataURL(new Blob([samples]));
  });
  return url.slice(url.indexOf(",") + 1);
}

/** Waits until what is true in the page. */
export async function until<T>(page: Page, what: (arg: T) => unknown, arg: T, timeout = 30_000): Promise<void> {
  await page.waitForFunction(what as any, arg, { timeout, polling: 50 });
}

/** The spoken file, 16 bits mono at RATE. */
export function speech(): Int16Array {
  const wav = readFileSync(SPEECH);
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const s = createServer();
  await new Promise<void>((resolve) => s.listen(0, "127.0.0.1", resolve));
  const { port } = s.address() as AddressInfo;
  await new Promise((resolve) => s.close(resolve));
  return port;
}
