// The console in a real Chromium, against servers that the Go test started.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const { CONSOLE_TALK, CONSOLE_AUTH, CONSOLE_STORM, CHROMIUM, SHOTS } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: flags });
});
after(() => browser?.close());

const desktop = { viewport: { width: 1440, height: 900 } };
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** visit opens the console in a window of its own; what the page complains of fails the test. */
async function visit(t, url, options = desktop) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => m.type() === "error" && !/40[13]|ERR_|Failed to load resource/.test(m.text()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(e.message));
  page.on("request", (r) => !r.url().startsWith(new URL(url).origin) && complaints.push(`asked ${r.url()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(url);
  return page;
}

const live = (page) => page.waitForSelector('#link[data-link="live"]');
const rows = (page) => page.locator("#sessions .grid-row:not([hidden])");
const logRows = (page) => page.locator("#log .grid-row:not([hidden])");
const shot = (page, name) => (SHOTS ? page.screenshot({ path: `${SHOTS}/${name}.png` }) : undefined);

/** axe runs the accessibility checks over what is on the screen now. */
async function axe(page, what) {
  // The policy forbids scripts of others, the debugger's hand does not ask it.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
  assert.deepEqual(found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`), [], what);
}

/** fits tells what sticks out to the right of the window. */
async function fits(page, what) {
  const out = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const seen = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest(".skip"));
    return { scroll: document.documentElement.scrollWidth - width, beyond: seen.filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 80)) };
  });
  assert.deepEqual(out, { scroll: 0, beyond: [] }, what);
}

test("a crash by its button shows in tree and log within a second", async (t) => {
  const page = await visit(t, CONSOLE_TALK);
  await live(page);
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "50");
  await rows(page).first().click();
  await page.waitForSelector('.actor[data-actor="audio"]');
  const id = await page.textContent("#sheet-title").then((s) => s.slice(0, 26));
  await page.getByRole("button", { name: "Crash audio" }).click();
  await page.waitForSelector("#box[open]");
  await axe(page, "the box that asks");
  const began = Date.now();
  await page.getByRole("button", { name: "Crash it" }).click();
  await Promise.all([
    page.waitForSelector(`#tree [data-session="${id}"] .leaf.lit[data-actor="audio"]`, { state: "attached", timeout: 1000 }),
    page.waitForSelector('.actor.lit[data-actor="audio"]', { timeout: 1000 }),
    page.waitForFunction((end) => [...document.querySelectorAll("#log .grid-row")].some((r) => r.textContent.includes("actor restarted") && r.textContent.includes(end)), id.slice(-8), { timeout: 1000 }),
  ]);
  t.diagnostic(`restart seen in tree, sheet and log after ${Date.now() - began} ms`);
  assert.match(await page.textContent(".failure"), /audio.*crash asked for by an operator/s);
  assert.match(await page.textContent(".failure pre"), /audio\.go:42/);
  await shot(page, "sheet");
  await axe(page, "the sheet");
});

test("filters show what they say", async (t) => {
  const page = await visit(t, CONSOLE_TALK);
  await live(page);
  await page.waitForFunction(() => document.querySelectorAll("#log .grid-row").length > 0);
  await page.selectOption("#state", "paused");
  await page.waitForFunction(() => /^\d+ of 50$/.test(document.querySelector("#sessions-count").textContent));
  for (const state of await page.locator("#sessions .grid-row:not([hidden]) .c-state").allTextContents()) assert.equal(state, "paused");
  await page.selectOption("#state", "");
  await page.keyboard.press("Escape");
  await page.locator("#sessions .c-restarts button").click();
  assert.match(await rows(page).first().locator(".c-restarts").textContent(), /[1-9]/);
  await page.fill("#find", "00000007");
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "1 of 50");
  await page.selectOption("#log-level", "error");
  for (const level of await page.locator("#log .grid-row:not([hidden]) .c-level").allTextContents()) assert.equal(level, "error");
  await page.selectOption("#log-event", "voice_lost");
  await page.getByText("Nothing happened that fits these filters.").waitFor();
});

test("the keyboard reaches everything", async (t) => {
  const page = await visit(t, CONSOLE_TALK);
  await live(page);
  await rows(page).first().waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
  await rows(page).first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-rowindex")), "51");
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#sheet[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#sheet:not([open])", { state: "attached" });
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("grid-row")), "focus returns to the row");
  await page.locator('#tree [role="treeitem"]').first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.actor), "audio");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#sheet[open]");
});

test("a cut stream is taken up again and misses nothing", async (t) => {
  const page = await visit(t, CONSOLE_TALK);
  await live(page);
  await page.evaluate(() => fetch("/test/cut", { method: "POST" }).catch(() => undefined));
  await page.waitForSelector('#link[data-link="lost"]');
  await live(page);
  await page.waitForFunction(() => [...document.querySelectorAll("#log .grid-row")].some((r) => r.textContent.includes("while you were away")));
});

test("light and dark hold against axe, and the phone's layout at 360 px", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await visit(t, CONSOLE_TALK, { ...desktop, colorScheme });
    await live(page);
    await page.waitForSelector(".chart .line[d^=M]", { state: "attached" });
    await shot(page, `desktop-${colorScheme}`);
    await axe(page, colorScheme);
    await fits(page, colorScheme);
  }
  const page = await visit(t, CONSOLE_TALK, { ...phone, colorScheme: "dark" });
  await live(page);
  for (const tab of ["sessions", "tree", "log"]) {
    await page.tap(`#tab-${tab}`);
    await shot(page, `phone-${tab}`);
    await fits(page, tab);
    await axe(page, `phone, ${tab}`);
  }
  await page.tap("#tab-sessions");
  await rows(page).first().tap();
  await page.waitForSelector('.actor[data-actor="voice"]');
  await shot(page, "phone-sheet");
  await fits(page, "sheet");
  await axe(page, "phone, sheet");
});

test("the page asks for the operator token and keeps it in the tab only", async (t) => {
  const page = await visit(t, CONSOLE_AUTH);
  await page.waitForSelector("#box[open]");
  await axe(page, "the token box");
  await page.fill("#token", "nonsense");
  await page.keyboard.press("Enter");
  await page.getByText("That token does not open this server.").waitFor();
  await page.fill("#token", "operators-only");
  await page.keyboard.press("Enter");
  await live(page);
  await rows(page).first().waitFor();
  const kept = await page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie, location.href].map((s) => s.includes("operators-only")));
  assert.deepEqual(kept, [true, false, false, false]);
  await page.reload();
  await live(page);
});

test("5000 sessions and 100 events a second leave the page smooth", async (t) => {
  const page = await visit(t, CONSOLE_STORM);
  await live(page);
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "5,000");
  const measure = (doing) => page.evaluate(async (act) => {
    const list = document.querySelector("#sessions .grid-body");
    const gaps = [];
    const began = performance.now();
    let last = began;
    while (last - began < 5000) {
      if (act) list.scrollTop += 40;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    gaps.sort((a, b) => a - b);
    const at = (q) => Math.round(gaps[Math.floor(gaps.length * q)] * 10) / 10;
    return { frames: gaps.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), worst: at(0.9999) };
  }, doing);
  const still = await measure(false);
  const moving = await measure(true);
  t.diagnostic(`frame times in ms, still: ${JSON.stringify(still)}, scrolling: ${JSON.stringify(moving)}`);
  for (const m of [still, moving]) assert.ok(m.p95 < 50, `95 % of frames within 50 ms: ${JSON.stringify(m)}`);
  assert.ok((await page.locator("#sessions .grid-row").count()) < 100, "only the rows in sight exist");
  await shot(page, "storm");
});

test("a session is ended and the server drained, each after a question", async (t) => {
  const page = await visit(t, CONSOLE_TALK);
  await live(page);
  await rows(page).nth(3).click();
  await page.getByRole("button", { name: "End session…" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "End session…" }).click();
  await page.locator("#box").getByRole("button", { name: "End session" }).click();
  await page.getByText("This session ended: operator · code 4500.").waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "49");
  await page.getByRole("button", { name: "Drain…" }).click();
  await page.getByRole("button", { name: "Drain the server" }).click();
  await page.waitForSelector('#link[data-link="draining"]');
  assert.ok(await page.locator("#drain").isHidden());
  await shot(page, "draining");
});
