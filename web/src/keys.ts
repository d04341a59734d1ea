// The keyboard. Off while somebody types; single letters can be switched off.
import { signal } from "@preact/signals";
import { asking } from "./act";
import { isHelpOpen, isPaletteOpen } from "./dialogs";
import { services } from "./feed";
import { go, page, serviceAt, setQuery } from "./router";
import { turnTheme } from "./theme";

const STORED = "fks-single-keys";
const GO: Record<string, string> = { o: "", i: "incidents", a: "alerts", j: "jobs", m: "map", v: "activity" };
let isGoing = false;

export const hasSingleKeys = signal(localStorage.getItem(STORED) !== "off");

export function setSingleKeys(is: boolean): void {
  localStorage.setItem(STORED, is ? "on" : "off");
  hasSingleKeys.value = is;
}

const search = (): HTMLInputElement | null => document.querySelector("#search");
const focusedId = (): string => document.activeElement?.closest<HTMLElement>("[data-id]")?.dataset["id"] ?? "";

function chosenId(): string {
  const [name, id] = page();
  return name === "service" ? id : focusedId();
}

function move(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-id]")];
  const at = rows.findIndex((row) => row.dataset["id"] === focusedId());
  rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
}

function restart(): void {
  const id = chosenId();
  if (services.value.get(id)?.docker_container) asking.value = { id, action: "restart" };
}

function onService(selector: string): void {
  const id = chosenId();
  if (!id) return;
  if (page()[0] !== "service") go(serviceAt(id));
  setTimeout(() => document.querySelector<HTMLElement>(selector)?.click(), 50);
}

const LETTERS: Record<string, () => void> = {
  "/": () => search()?.focus(),
  j: () => move(1),
  k: () => move(-1),
  t: turnTheme,
  "?": () => (isHelpOpen.value = true),
  r: restart,
  l: () => onService("[data-logs]"),
  s: () => onService("[data-silence]"),
  g: () => {
    isGoing = true;
    setTimeout(() => (isGoing = false), 1000);
  },
};

function leave(): void {
  if (asking.value) {
    const { id } = asking.value;
    asking.value = null;
    setTimeout(() => document.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus(), 0);
  } else if (document.activeElement === search()) {
    setQuery("q", "");
    search()?.blur();
  } else if (page()[0]) go("");
}

export function listen(): void {
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      isPaletteOpen.value = true;
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return leave();
    const isTyping = event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), textarea, select");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !hasSingleKeys.value) return;
    if (isGoing && event.key in GO) {
      isGoing = false;
      go(GO[event.key] ?? "");
      return;
    }
    const act = LETTERS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
