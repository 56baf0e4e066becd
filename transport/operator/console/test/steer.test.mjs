// An operator at work, while 50 sessions talk: the same against made-up sessions and against
// the real server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, live, rows, shot, visit } from "./stage.mjs";

const { CONSOLE_STEER } = process.env;

test("an operator crashes, filters, ends and drains", async (t) => {
  const page = await visit(t, CONSOLE_STEER);
  await live(page);
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "50");

  await rows(page).first().click();
  await page.waitForSelector('.actor[data-actor="audio"]');
  const id = decodeURIComponent(new URL(page.url()).hash.slice(1));
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
  assert.match(await page.textContent(".failure strong"), /audio.*crash/s);
  assert.match(await page.textContent(".failure pre"), /audio.*\.go:\d+/s);
  await shot(page, "sheet");
  await axe(page, "the sheet");
  await page.keyboard.press("Escape");

  await page.fill("#find", id.slice(-6));
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "1 of 50");
  await page.fill("#log-session", id);
  await page.selectOption("#log-event", "actor_restarted");
  await page.waitForFunction(() => /^1 of /.test(document.querySelector("#log-count").textContent));
  await shot(page, "desktop");

  await rows(page).first().click();
  await page.getByRole("button", { name: "End session…" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "End session…" }).click();
  await page.locator("#box").getByRole("button", { name: "End session" }).click();
  await page.getByText(/This session ended: operator · .*code 4500/).waitFor();
  await page.keyboard.press("Escape");
  await page.fill("#find", "");
  await page.waitForFunction(() => document.querySelector("#sessions-count").textContent === "49");

  await page.getByRole("button", { name: "Drain…" }).click();
  await page.getByRole("button", { name: "Drain the server" }).click();
  await page.waitForSelector('#link[data-link="draining"]');
  assert.ok(await page.locator("#drain").isHidden());
  await shot(page, "draining");
});
