// The page and the client in Chromium, where things go wrong, and what the page looks like.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { FakeServer } from "./fake.js";
import { Aila, launch, leave, Network, openPage, sleep, until } from "./stage.js";

let aila: Aila;
let browser: Browser;
let url: string;

before(async () => {
  aila = await Aila.serve();
  url = `http://127.0.0.1:${aila.port}/`;
  browser = await launch();
});

after(async () => {
  await leave();
  await aila.stop();
});

async function begin(page: Page, mode: "open" | "press" = "open"): Promise<void> {
  await page.check(`[name=mode][value=${mode}]`);
  await page.check("#agree");
  await page.click("#begin");
  await until(page, () => (window as any).aila, 0);
}

const microphone = (page: Page, state: string) => until(page, (s) => (window as any).aila.microphone === s, state, 8000);

// elsewhere serves a page of another origin, which may be told at which port Aila is.
async function elsewhere(html = (_: number) => "<!doctype html><title>x</title><p>x") {
  const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html; charset=utf-8").end(html(site.port)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const site = { port: aila.port, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
  return site;
}

test("an interruption is silence within 50 ms, and what was heard is right within 20 ms", async (t) => {
  const fake = await FakeServer.listen();
  const site = await elsewhere();
  const page = await openPage(browser, site.url);
  await page.click("p"); // sound wants a touch
  await page.evaluate(connectTo, { client: `${url}client/aila.js`, server: fake.url });
  const tone = Int16Array.from({ length: 24000 }, (_, i) => 12000 * Math.sin(i / 8));
  for (const [item, by] of [["i1", "server"], ["i2", "client"]] as const) {
    fake.say({ type: "session_state", state: "speaking", item_id: item, item: Number(item[1]) });
    for (let s = 0; s < 5; s++) {
      for (let i = 0; i < 50; i++) fake.sayAudio(item, s * 24000 + i * 480, tone.subarray(i * 480, (i + 1) * 480));
    }
    await until(page, (name) => (window as any).heard(name) > 24000, item);
    if (by === "server") fake.say({ type: "interrupted", item_id: item, reason: "user_speech" });
    else await page.evaluate(() => (window as any).aila.interrupt());
    await sleep(400);
    const m = await page.evaluate((name) => (window as any).measure(name), item);
    const report = fake.mentioned.find((r) => r.item_id === item && r.state === "cleared");
    assert.ok(report, "the server is told what was heard");
    const off = Number(report.played_ms) + m.latency_ms - m.played_ms;
    t.diagnostic(`${by}: silent after ${m.silent_ms.toFixed(1)} ms; played_ms off by ${off.toFixed(1)} ms`);
    assert.ok(m.silent_ms < 50, `silent after ${m.silent_ms} ms`);
    assert.ok(Math.abs(off) <= 20, `off by ${off} ms`);
    if (by === "server") continue;
    const order = fake.last.heard.find((h) => h.kind === "interrupt");
    assert.equal(order?.message.item_id, item);
    const said = Number(order?.message.played_ms) + m.latency_ms - m.played_ms;
    t.diagnostic(`the interrupt's own played_ms off by ${said.toFixed(1)} ms`);
    assert.ok(Math.abs(said) <= 20, `off by ${said} ms`);
  }
  assert.ok(fake.mentioned.some((r) => r.type === "playback" && r.state === "playing"));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
  site.close();
  await fake.close();
});

// connectTo runs in the page: a session whose ears the test can ask.
async function connectTo({ client, server }: { client: string; server: string }): Promise<void> {
  const w = window as any;
  const { Aila } = await import(client);
  const s = (w.aila = await Aila.connect({ url: server, microphone: false, tap: true }));
  const counts: Record<string, number> = {};
  let sounded = 0;
  let cut = 0;
  s.on("played", (e: any) => (counts[e.item_id] = (counts[e.item_id] ?? 0) + e.samples.length));
  s.on("level", (e: any) => (sounded = Math.max(sounded, e.sounded_at ?? 0)));
  s.on("interrupted", () => (cut = s.context.currentTime));
  const interrupt = s.interrupt.bind(s);
  s.interrupt = () => {
    cut = s.context.currentTime;
    interrupt();
  };
  w.heard = (item: string) => counts[item] ?? 0;
  w.measure = (item: string) => ({
    silent_ms: (sounded - cut) * 1000,
    played_ms: counts[item]! / 24,
    latency_ms: (s.context.outputLatency || s.context.baseLatency) * 1000,
  });
}

test("a page that is reloaded goes on in the same session", async () => {
  const page = await openPage(browser, `${url}?tap`);
  await begin(page);
  await until(page, () => (window as any).ears.answered.length > 24000, 0);
  const id = await page.evaluate(() => (window as any).aila.id);
  await page.reload();
  await until(page, () => (window as any).aila, 0);
  assert.equal(await page.evaluate(() => (window as any).aila.id), id);
  assert.equal(await page.evaluate(() => (window as any).aila.stats.resumes), 1);
  if (await page.getByRole("button", { name: "Let me hear" }).isVisible()) await page.getByRole("button", { name: "Let me hear" }).click();
  await until(page, () => (window as any).ears.answered.length > 24000, 0);
  await page.click("#end");
  await page.getByRole("heading", { name: "Thank you." }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(page.complaints.filter((c) => !c.includes("AudioContext was not allowed to start")), []);
  await page.context().close();
});

test("a microphone that is denied is said so, and opens when it is allowed", async () => {
  const page = await openPage(browser, url, { permissions: [] });
  await page.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    (window as any).deny = true;
    navigator.mediaDevices.getUserMedia = async (c) => {
      if ((window as any).deny) throw new DOMException("no", "NotAllowedError");
      return open(c);
    };
  });
  await page.reload();
  await begin(page);
  await microphone(page, "denied");
  assert.ok(await page.getByText("keeps the microphone closed").isVisible());
  await page.evaluate(() => ((window as any).deny = false));
  await page.context().grantPermissions(["microphone"]);
  await page.getByRole("button", { name: "Try again" }).click({ timeout: 500 }).catch(() => {}); // the permission's own change may be quicker
  await microphone(page, "on");
  assert.equal(await page.locator(".banner").count(), 0);
  await page.context().close();
});

test("a microphone that is unplugged comes back", async () => {
  const page = await openPage(browser, url);
  await page.evaluate(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const w = window as any;
    navigator.mediaDevices.getUserMedia = async (c) => {
      if (w.unplugged) throw new DOMException("none", "NotFoundError");
      return (w.stream = await open(c));
    };
  });
  await begin(page);
  await microphone(page, "on");
  await page.evaluate(() => {
    const w = window as any;
    w.unplugged = true;
    const [track] = w.stream.getAudioTracks();
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await microphone(page, "missing");
  assert.ok(await page.getByText("No microphone was found").isVisible());
  await page.evaluate(() => {
    (window as any).unplugged = false;
    navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
  });
  await microphone(page, "on");
  await page.context().close();
});

test("a network that swallows everything is found out when it changes, or the page comes back", async (t) => {
  const network = await Network.to(aila);
  for (const event of ["online", "visibilitychange"]) {
    const page = await openPage(browser, network.url);
    await begin(page);
    await until(page, () => (window as any).ears.answered.length > 12000, 0);
    network.swallow();
    await sleep(500);
    const began = Date.now();
    await page.evaluate((name) => (name === "online" ? window : document).dispatchEvent(new Event(name)), event);
    await until(page, () => (window as any).aila.stats.resumes === 1, 0, 8000);
    t.diagnostic(`${event}: resumed after ${Date.now() - began} ms`);
    await page.click("#mic");
    await until(page, () => (window as any).ears.answered.length === (window as any).ears.captured.length, 0);
    await page.context().close();
  }
  network.close();
});

test("a talk can be ended while the server is away", async () => {
  const network = await Network.to(aila);
  const page = await openPage(browser, network.url);
  await begin(page);
  await microphone(page, "on");
  network.upstream = 1; // nobody listens there
  network.cut();
  await page.locator("#state[data-state=reconnecting]").waitFor();
  await page.click("#end");
  await page.getByRole("heading", { name: "Thank you." }).waitFor({ timeout: 5000 });
  await page.context().close();
  network.close();
});

test("clinical mode leaves the voice as it is", async () => {
  const page = await openPage(browser, url);
  await page.check("#clinical");
  await begin(page);
  await microphone(page, "on");
  const s = await page.evaluate(() => (window as any).aila.microphoneSettings);
  assert.deepEqual([s.echoCancellation, s.noiseSuppression, s.autoGainControl], [false, false, false]);
  await page.context().close();
});

test("held to talk, by pointer or space bar, the rest of the time goes by as a gap", async () => {
  const page = await openPage(browser, url);
  await begin(page, "press");
  await microphone(page, "on");
  await sleep(1500);
  assert.equal(await page.evaluate(() => (window as any).ears.captured.length), 0, "nothing is sent before");
  await page.hover("#mic");
  await page.mouse.down();
  await until(page, () => (window as any).ears.captured.length > 12000, 0);
  await page.mouse.up();
  const said = await page.evaluate(() => (window as any).ears.captured.length);
  await sleep(300);
  assert.equal(await page.evaluate(() => (window as any).ears.captured.length), said, "nothing is sent after");
  await page.locator("body").press("Space", { delay: 500 });
  assert.ok((await page.evaluate(() => (window as any).ears.captured.length)) > said + 6000);
  await sleep(400);
  const id = await page.evaluate(() => (window as any).aila.id);
  const s = await aila.get(`/api/v1/sessions/${id}`);
  assert.equal(s.samples_lost, 0);
  assert.ok(s.samples_in > said + 24000, "the server's clock went on while nothing was said");
  await page.context().close();
});

test("the ten lines of the README are a working voice session", async () => {
  const [, lines = ""] = /```html\n([^]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
  const site = await elsewhere((at) => lines.replaceAll("//voice.example", `//127.0.0.1:${at}`).replaceAll("https:", "http:").replaceAll("wss:", "ws:").replace(', token: "…"', ""));
  const server = await Aila.serve("--allowed-origins", site.url.slice(0, -1));
  site.port = server.port;
  const page = await openPage(browser, site.url);
  await page.click("#talk");
  await page.locator("#state", { hasText: "speaking" }).waitFor();
  assert.deepEqual(page.complaints.filter((c) => !c.includes("favicon")), []);
  await page.context().close();
  site.close();
  await server.stop();
});

test("the script without modules works too, from another origin", async () => {
  const site = await elsewhere();
  const fake = await FakeServer.listen();
  const page = await openPage(browser, site.url);
  await page.addScriptTag({ url: `${url}client/aila.iife.js` });
  const state = await page.evaluate(async (server) => (await (window as any).Aila.connect({ url: server, binary: false })).state, fake.url);
  assert.notEqual(state, "ended");
  await until(page, () => true, 0);
  for (let i = 0; i < 50 && !fake.last?.heard.length; i++) await sleep(100);
  assert.ok(fake.last.heard.length > 0, "it hears, so its worklet came from the other origin");
  await page.context().close();
  site.close();
  await fake.close();
});

const looks: Record<string, BrowserContextOptions> = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  still: { viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" },
};

for (const [name, look] of Object.entries(looks)) {
  test(`axe finds nothing on the page, ${name}`, async () => {
    const page = await openPage(browser, url, look);
    await audit(page, name, "welcome");
    await page.click("#sample-begin");
    await until(page, () => (window as any).aila, 0);
    await page.fill("#text", "I would like to try the second exercise again.");
    await page.press("#text", "Enter");
    await page.locator("#transcript [data-role=voice]").waitFor();
    await page.click("#details summary");
    await page.click("#cut");
    await page.locator("#state[data-state=reconnecting]").waitFor();
    await audit(page, name, "reconnecting");
    await page.getByText("Nothing was lost").waitFor();
    await sleep(2500);
    await audit(page, name, "talk");
    await page.click("#end");
    await page.getByRole("heading", { name: "Thank you." }).waitFor();
    await audit(page, name, "after");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "nothing sticks out");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

// audit runs axe, and takes a picture where SHOTS names a folder.
async function audit(page: Page, look: string, part: string): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${look}-${part}.png`, fullPage: true });
  await page.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
  const found = await page.evaluate(async () => {
    const { violations } = await (window as any).axe.run();
    return violations.map((v: any) => `${v.id}: ${v.help}: ${v.nodes.map((n: any) => n.target).join(" ")}`);
  });
  assert.deepEqual(found, [], `${look}, ${part}`);
}
