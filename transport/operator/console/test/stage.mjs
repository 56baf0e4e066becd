// What the tests of the console share: one Chromium, windows, and the eyes of a strict reader.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const { CHROMIUM, SHOTS } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: flags });
});
after(() => browser?.close());

export const desktop = { viewport: { width: 1440, height: 900 } };
export const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** visit opens the console in a window of its own; what the page complains of fails the test. */
export async function visit(t, url, options = desktop) {
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

export const live = (page) => page.waitForSelector('#link[data-link="live"]');
export const rows = (page) => page.locator("#sessions .grid-row:not([hidden])");
export const shot = (page, name) => (SHOTS ? page.screenshot({ path: `${SHOTS}/${name}.png` }) : undefined);

/** axe runs the accessibility checks over what is on the screen now. */
export async function axe(page, what) {
  // The policy forbids scripts of others, the debugger's hand does not ask it.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
  assert.deepEqual(found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`), [], what);
}

/** fits tells what sticks out to the right of the window. */
export async function fits(page, what) {
  const out = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const seen = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest(".skip"));
    return { scroll: document.documentElement.scrollWidth - width, beyond: seen.filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 80)) };
  });
  assert.deepEqual(out, { scroll: 0, beyond: [] }, what);
}

