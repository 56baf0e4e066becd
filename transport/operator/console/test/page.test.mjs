// The page by itself, against sessions that the Go test made up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, desktop, fits, live, phone, rows, shot, visit } from "./stage.mjs";

const { CONSOLE_TALK, CONSOLE_AUTH, CONSOLE_STORM } = process.env;

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
  await shot(page, "token");
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
  // Frame times depend on who else uses this machine; the page's own work, counted in time of
  // its thread's processor, does not. Of that it may use a
  // third, and two while someone scrolls without pause.
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable", { timeDomain: "threadTicks" });
  const work = async () => (await debug.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  for (const [doing, most] of [["still", 5 / 3], ["scrolling", 10 / 3]]) {
    const before = await work();
    const m = await measure(doing === "scrolling");
    const busy = (await work()) - before;
    t.diagnostic(`${doing}: frame times in ms ${JSON.stringify(m)}, the page's thread worked ${(busy / 0.05).toFixed(1)} % of the time`);
    assert.ok(busy < most, `${doing}: the page worked ${busy.toFixed(2)} s of 5`);
    assert.ok(m.p95 < 250, `${doing}: 95 % of frames within 250 ms, however busy the machine`);
  }
  assert.ok((await page.locator("#sessions .grid-row").count()) < 100, "only the rows in sight exist");
  await shot(page, "storm");
});

