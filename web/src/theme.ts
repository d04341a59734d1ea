// Light or dark: the system's choice until somebody chooses.
import { signal } from "@preact/signals";

const STORED = "fks-theme";

/** Counts the changes: what is drawn on a canvas is drawn anew. */
export const themeTurn = signal(0);

export function showTheme(): void {
  const chosen = localStorage.getItem(STORED);
  if (chosen) document.documentElement.dataset["theme"] = chosen;
  themeTurn.value++;
}

export function turnTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const present = document.documentElement.dataset["theme"] ?? system;
  localStorage.setItem(STORED, present === "dark" ? "light" : "dark");
  showTheme();
}

export function watchTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => themeTurn.value++);
}
