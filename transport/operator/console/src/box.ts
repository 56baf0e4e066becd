// The boxes that ask before something is done, and the one that asks for the token.

import type { Happening } from "./api";
import { byId, el } from "./dom";
import { clock, plain } from "./format";

const box = () => byId<HTMLDialogElement>("box");

export interface Question {
  title: string;
  words: string;
  /** yes is the word on the button that does it. */
  yes: string;
  /** choices are ways to do it; the first is chosen. */
  choices?: [value: string, label: string][];
}

/** show opens the box with a form and gives what settle is called with; undefined on Escape. */
function show<T>(wide: boolean, fill: (settle: (v?: T) => void) => HTMLFormElement): Promise<T | undefined> {
  return new Promise((done) => {
    const b = box();
    let answer: T | undefined;
    b.className = wide ? "box wide" : "box";
    b.replaceChildren(
      fill((v) => {
        answer = v;
        b.close();
      }),
    );
    b.addEventListener("close", () => done(answer), { once: true });
    if (!b.open) b.showModal();
  });
}

/** ask asks before an act; undefined: no. */
export function ask(q: Question): Promise<string | undefined> {
  return show<string>(false, (settle) => {
    const choices = (q.choices ?? []).map(([value, label], i) =>
      el("label", {}, el("input", { type: "radio", name: "choice", value, checked: i === 0 }), label),
    );
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "box-title" }, q.title),
      el("p", {}, q.words),
      ...(choices.length ? [el("fieldset", { "aria-label": "When" }, ...choices)] : []),
      el(
        "div",
        { class: "box-acts" },
        el("button", { type: "button", autofocus: true, onclick: () => settle() }, "Cancel"),
        el("button", { type: "submit", class: "sure" }, q.yes),
      ),
    );
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      settle(String(new FormData(form).get("choice") ?? "yes"));
    });
    return form;
  });
}

/** askToken asks for the operator token until one is given. */
export async function askToken(wrong: string): Promise<string> {
  for (;;) {
    const given = await show<string>(false, (settle) => {
      const field = el("input", { type: "password", id: "token", autocomplete: "off", required: true, autofocus: true, "aria-describedby": "token-why" });
      const form = el(
        "form",
        { method: "dialog" },
        el("h2", { id: "box-title" }, "Who is there?"),
        el("p", { id: "token-why" }, "This server asks operators for their token. It is kept in this tab only, until you close it."),
        el("label", { for: "token" }, "Operator token"),
        field,
        el("p", { class: "wrong", role: "alert" }, wrong),
        el("div", { class: "box-acts" }, el("button", { type: "submit", class: "primary" }, "Open the console")),
      );
      form.addEventListener("submit", (e) => {
        e.preventDefault();
        settle(field.value.trim());
      });
      return form;
    });
    if (given) return given;
  }
}

/** showEvent shows all that one event says. */
export async function showEvent(e: Happening, openSession: (id: string) => void): Promise<void> {
  const { stack, ...rest } = e;
  const go = await show<string>(true, (settle) =>
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "box-title" }, plain(e.event)),
      el("p", {}, `${clock(e.time)} · ${e.message}`),
      el("pre", { tabindex: 0, role: "region", "aria-label": "The event" }, JSON.stringify(rest, null, 2)),
      ...(stack ? [el("h3", {}, "Stack"), el("pre", { tabindex: 0, role: "region", "aria-label": "Stack" }, stack)] : []),
      el(
        "div",
        { class: "box-acts" },
        ...(e.session ? [el("button", { type: "button", onclick: () => settle(e.session) }, "Open session")] : []),
        el("button", { type: "button", class: "primary", autofocus: true, onclick: () => settle() }, "Close"),
      ),
    ),
  );
  if (go) openSession(go);
}
