// The keyboard. Off while somebody types; single letters can be switched off.
import { signal } from "@preact/signals";
import { asking, begin, checkNow, leaveAsking } from "./act";
import { isHelpOpen, isPaletteOpen, wantsSilence } from "./dialogs";
import { isStale, services } from "./feed";
import { go, page, serviceAt, setQuery } from "./router";
import { turnTheme } from "./theme";

const STORED = "fks-single-keys";
const GO: Record<string, string> = { o: "", i: "incidents", a: "alerts", j: "jobs", m: "map", v: "activity" };
const GO_MS = 1000;
let isGoing = false;

export const hasSingleKeys = signal(localStorage.getItem(STORED) !== "off");

export function setSingleKeys(is: boolean): void {
  localStorage.setItem(STORED, is ? "on" : "off");
  hasSingleKeys.value = is;
}

const search = (): HTMLInputElement | null => document.querySelector("#search");
const focusedId = (): string => document.activeElement?.closest<HTMLElement>("main [data-id]")?.dataset["id"] ?? "";

function chosenId(): string {
  const [name, id] = page();
  return name === "service" ? id : focusedId();
}

function move(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-id]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 && step < 0 ? rows.length - 1 : Math.max(0, Math.min(rows.length - 1, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function withService(run: (id: string) => void): void {
  const id = chosenId();
  if (services.value.has(id)) run(id);
}

const LETTERS: Record<string, () => void> = {
  "/": () => search()?.focus(),
  j: () => move(1),
  k: () => move(-1),
  t: turnTheme,
  "?": () => (isHelpOpen.value = true),
  r: () => withService((id) => {
    const one = services.value.get(id);
    if (one?.docker_container && !isStale.value) begin(one, "restart");
  }),
  l: () => withService((id) => go(serviceAt(id), { logs: "1" })),
  s: () => withService((id) => (wantsSilence.value = id)),
  c: () => withService((id) => void checkNow(id)),
  g: () => {
    isGoing = true;
    setTimeout(() => (isGoing = false), GO_MS);
  },
};

/** To the overview; the service one comes from has the focus there. */
function back(): void {
  const [name, id] = page();
  go("");
  if (name === "service") requestAnimationFrame(() => document.querySelector<HTMLElement>(`main [data-id="${CSS.escape(id)}"]`)?.focus());
}

function leave(): void {
  if (asking.value) leaveAsking();
  else if (document.activeElement === search()) {
    setQuery("q", "");
    search()?.blur();
  } else if (page()[0]) back();
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
