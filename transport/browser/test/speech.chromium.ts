// In Chromium, with a microphone that plays the spoken file: what is heard and what is played.

import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { correlation, difference } from "./measure.js";
import { Aila, ears, launch, leave, Network, openPage, RATE, sleep, speech, SPEECH, until, type Ears } from "./stage.js";

const spoken = speech();
let aila: Aila;

before(async () => {
  aila = await Aila.serve();
});

after(async () => {
  await leave();
  await aila.stop();
});

// begin agrees, in clinical mode, and waits for the microphone.
async function begin(page: Page): Promise<void> {
  await page.check("#clinical");
  await page.check("#agree");
  await page.click("#begin");
  await until(page, () => (window as any).aila?.microphone === "on", 0);
}

const captured = (page: Page, samples: number) => until(page, (n) => (window as any).ears.captured.length >= n, samples, 40_000);

// finish mutes, waits until everything was played, and compares sample for sample.
async function finish(page: Page) {
  await page.click("#mic");
  await until(page, () => {
    const { captured, played } = (window as any).ears;
    return played.length >= captured.length;
  }, 0);
  await sleep(300);
  const e = await ears(page);
  assert.equal(difference(e.answered, e.captured), undefined, "what the server heard is what the worklet emitted");
  assert.equal(difference(e.played, e.answered), undefined, "what the page played is what the server said");
  return e;
}

const sessionOf = async (page: Page) => aila.get(`/api/v1/sessions/${await page.evaluate(() => (window as any).aila.id)}`);

// alike wants what was heard and played to be what was spoken. On a busy machine Chromium's fake
// microphone itself leaves out a moment now and then; then the test speaks again, twice at most.
async function alike(t: TestContext, what: string, speak: () => Promise<Ears>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const e = await speak();
    const heard = correlation(e.captured, spoken);
    const played = correlation(e.played, spoken);
    t.diagnostic(`${what}: ${e.captured.length} samples; correlation heard ${heard.r.toFixed(5)}, played ${played.r.toFixed(5)}`);
    if (heard.r > 0.99 && played.r > 0.99) return;
    assert.ok(attempt < 3, `correlation ${heard.r}, ${played.r}`);
  }
}

test("what is spoken is heard and played, sample for sample", async (t) => {
  await alike(t, "device at its own rate", async () => {
    const page = await openPage(await launch(SPEECH), `http://127.0.0.1:${aila.port}/?tap`);
    await begin(page);
    await captured(page, spoken.length);
    const e = await finish(page);
    const s = await sessionOf(page);
    assert.equal(s.samples_lost, 0);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
    return e;
  });
});

test("the same at 48 kHz with the socket cut ten times: nothing is lost, nothing doubled", async (t) => {
  await alike(t, "device at 48 kHz, ten cuts", async () => {
    const network = await Network.to(aila);
    const page = await openPage(await launch(SPEECH), `${network.url}/?tap&rate=48000`);
    await begin(page);
    for (let i = 1; i <= 10; i++) {
      await captured(page, (spoken.length * i) / 11);
      network.cut();
      await until(page, (n) => (window as any).aila.stats.resumes >= n, i);
    }
    await captured(page, spoken.length);
    const e = await finish(page);
    assert.ok(Number(await page.textContent("#resumes")) >= 10, "the page counts the resumes");
    assert.ok((await page.locator("#transcript li", { hasText: "Nothing was lost" }).count()) >= 10, "and says each");
    assert.equal(await page.textContent("#lost"), "0 ms");
    assert.ok((await page.evaluate(() => (window as any).states)).includes("reconnecting"));
    const s = await sessionOf(page);
    assert.equal(s.samples_lost, 0);
    await page.context().close();
    network.close();
    return e;
  });
});

test("on a drain the page says so, ends in time, and goes on with a new server", async (t) => {
  const old = await Aila.serve("--drain-timeout", "6s");
  const network = await Network.to(old);
  const page = await openPage(await launch(SPEECH), `${network.url}/?tap`);
  await begin(page);
  await captured(page, 2 * RATE);
  network.upstream = aila.port;
  const began = Date.now();
  old.process.kill("SIGTERM");
  await page.locator(".banner", { hasText: "being renewed" }).waitFor({ timeout: 3000 });
  await until(page, () => (window as any).aila.stats.moves === 1, 0);
  assert.equal(await old.exited, 0, "the old server ended in order");
  const took = Date.now() - began;
  assert.ok(took < 6000, `it took ${took} ms: the page ended in time`);
  await captured(page, 9 * RATE);
  const e = await finish(page);
  const said = await page.locator("#transcript li", { hasText: "new server" }).textContent();
  t.diagnostic(`old server gone after ${took} ms; ${e.captured.length} samples, none lost between; the page: ${said}`);
  assert.equal(await page.textContent("#moves"), "1");
  assert.equal(await page.textContent("#lost"), "0 ms");
  await page.context().close();
  network.close();
});
