// Which dialog is open.
import { signal } from "@preact/signals";

export const isKeyOpen = signal(false);
export const isHelpOpen = signal(false);
export const isPaletteOpen = signal(false);
