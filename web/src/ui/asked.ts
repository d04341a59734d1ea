// What a page has asked the API for: the answer, or the refusal in words; asked anew when something tells so.
import { useEffect, useState } from "preact/hooks";
import { ask, keyTurn, wordsOf } from "../api";
import { isOpen } from "../feed";

export interface Asked<T> {
  value: T | null;
  error: string;
  again: () => void;
}

/** An empty path asks nothing. What was known stays while the same is asked anew, and while the connection is lost. */
export function useAsked<T>(path: string, tick: unknown = 0): Asked<T> {
  const [state, setState] = useState<{ path: string; value: T | null; error: string }>({ path, value: null, error: "" });
  const [count, setCount] = useState(0);
  const isConnected = isOpen.value;
  useEffect(() => {
    if (!path || !isConnected) return undefined;
    let isWanted = true;
    ask<T>(path)
      .then((value) => isWanted && setState({ path, value, error: "" }))
      .catch((error: unknown) => isWanted && setState((known) => ({ path, value: known.path === path ? known.value : null, error: wordsOf(error) })));
    return () => {
      isWanted = false;
    };
  }, [path, tick, count, keyTurn.value, isConnected]);
  const isSame = state.path === path;
  const [kept, keep] = useState<{ base: string; value: T | null }>({ base: "", value: null });
  const base = path.split("?")[0] ?? "";
  useEffect(() => {
    if (isSame && state.value !== null && kept.value !== state.value) keep({ base, value: state.value });
  }, [state.value, isSame, base]);
  const value = isSame && state.value !== null ? state.value : kept.base === base && path ? kept.value : null;
  return { value, error: isSame ? state.error : "", again: () => setCount((known) => known + 1) };
}
