// What a page has asked the API for: the answer, or the refusal in words; asked anew when something tells so.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, changes, keyTurn, wordsOf } from "../api";
import { isOpen } from "../feed";

export interface Asked<T> {
  value: T | null;
  error: string;
  again: () => void;
}

interface Answer<T> {
  path: string;
  value: T | null;
  error: string;
}

const baseOf = (path: string): string => path.split("?")[0] ?? "";

/**
 * An empty path asks nothing. What was known stays while the same is asked anew, with other bounds, and while the
 * connection is lost. One question at a time: where an answer takes longer than a tick, the next waits for it.
 */
export function useAsked<T>(path: string, tick: unknown = 0): Asked<T> {
  const [known, setKnown] = useState<Answer<T>>({ path, value: null, error: "" });
  const [count, setCount] = useState(0);
  const wanted = useRef("");
  const asking = useRef({ path: "", isAgain: false });
  const turn = `${path} ${keyTurn.value} ${changes.value} ${count}`;
  const isConnected = isOpen.value;
  useEffect(() => {
    wanted.current = path && isConnected ? turn : "";
    if (!wanted.current) return;
    if (asking.current.path === turn) {
      asking.current.isAgain = true;
      return;
    }
    const look = (): void => {
      asking.current = { path: turn, isAgain: false };
      const take = (fresh: (before: Answer<T>) => Answer<T>): void => {
        const isAgain = asking.current.path === turn && asking.current.isAgain;
        if (asking.current.path === turn) asking.current = { path: "", isAgain: false };
        if (wanted.current !== turn) return;
        setKnown(fresh);
        if (isAgain) look();
      };
      ask<T>(path).then(
        (value) => take(() => ({ path, value, error: "" })),
        (error: unknown) => take((before) => ({ path, value: baseOf(before.path) === baseOf(path) ? before.value : null, error: wordsOf(error) })),
      );
    };
    look();
  }, [turn, tick, isConnected]);
  useEffect(() => () => void (wanted.current = ""), []);
  const isNear = path !== "" && baseOf(known.path) === baseOf(path);
  return { value: isNear ? known.value : null, error: known.path === path ? known.error : "", again: () => setCount((before) => before + 1) };
}
