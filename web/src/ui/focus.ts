// What appears in the place of what had the focus takes it: once, so that the next repaint does not take it again.
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export function useFocus<E extends HTMLElement>(): RefObject<E | null> {
  const node = useRef<E>(null);
  useLayoutEffect(() => node.current?.focus(), []);
  return node;
}
