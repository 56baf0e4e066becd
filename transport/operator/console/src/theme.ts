// Light, dark, or as the system is.

import { text } from "./dom";

const key = "aila.theme";
const kinds = ["auto", "light", "dark"] as const;

export function theme(button: HTMLButtonElement): void {
  let kind = kinds.find((k) => k === localStorage.getItem(key)) ?? "auto";
  const show = () => {
    if (kind === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = kind;
    text(button, kind[0].toUpperCase() + kind.slice(1));
    button.setAttribute("aria-label", `Colours: ${kind === "auto" ? "Auto, as the system" : kind[0].toUpperCase() + kind.slice(1)}`);
  };
  button.addEventListener("click", () => {
    kind = kinds[(kinds.indexOf(kind) + 1) % kinds.length];
    localStorage.setItem(key, kind);
    show();
  });
  show();
}
