// What a page has asked the API for: the answer, or the refusal in words; asked anew when something tells so.
import { useEffect, useState } from "preact/hooks";
import { ask, Refusal } from "../api";
import { isKeyOpen } from "../dialogs";

export interface Asked<T> {
  value: T | null;
  error: string;
  again: () => void;
}

export function useAsked<T>(path: string, tick: unknown = 0): Asked<T> {
  const [state, setState] = useState<{ path: string; value: T | null; error: string }>({ path, value: null, error: "" });
  const [count, setCount] = useState(0);
  useEffect(() => {
    let isWanted = true;
    ask<T>(path)
      .then((value) => isWanted && setState({ path, value, error: "" }))
      .catch((error: unknown) => {
        if (error instanceof Refusal && error.status === 401 && isWanted) isKeyOpen.value = true;
        if (isWanted) setState((known) => ({ path, value: known.path === path ? known.value : null, error: (error as Error).message }));
      });
    return () => {
      isWanted = false;
    };
  }, [path, tick, count]);
  return { value: state.path === path ? state.value : null, error: state.error, again: () => setCount((known) => known + 1) };
}
