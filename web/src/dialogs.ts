// Which dialog is open, and what waits for a key.
import { signal } from "@preact/signals";
import { Refusal } from "./api";

export const isKeyOpen = signal(false);
export const isHelpOpen = signal(false);
export const isPaletteOpen = signal(false);
export const wantsSilence = signal("");
export const isPlanning = signal(false);

/** Why the last change was refused, where the page has no place of its own to say so: it stays until dismissed. */
export const failure = signal("");

let waiting: (() => void) | null = null;

/** A change that was refused for want of a key: ask for one, then do it. Returns whether it was that. */
export function askForKey(error: unknown, again: () => void): boolean {
  if (!(error instanceof Refusal) || error.status !== 401) return false;
  waiting = again;
  isKeyOpen.value = true;
  return true;
}

export function goOn(): void {
  const next = waiting;
  waiting = null;
  next?.();
}

export function letGo(): void {
  waiting = null;
}
