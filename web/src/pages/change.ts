// A change without a place of its own to say why it was refused.
import { ask, wordsOf } from "../api";
import { askForKey, failure } from "../dialogs";

/** One refused for want of a key asks for it. What it changed is asked for anew by itself. */
export function change(path: string, method: "POST" | "DELETE"): void {
  failure.value = "";
  ask(path, method, method === "POST" ? {} : undefined).catch((error: unknown) => {
    if (!askForKey(error, () => change(path, method))) failure.value = wordsOf(error);
  });
}
