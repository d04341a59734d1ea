// A dialog of the browser's own: focus stays in it, Esc leaves, and the focus returns to where it came from.
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props<V> {
  open: Signal<V>;
  /** What the signal is when nothing is open. */
  closed: V;
  name: string;
  kind?: string;
  onLeave?: () => void;
  children: ComponentChildren;
}

export function Dialog<V>({ open, closed, name, kind = "", onLeave, children }: Props<V>) {
  const node = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => { // before the next key: what is typed at once belongs into the dialog
    const before = document.activeElement;
    node.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const leave = () => {
    onLeave?.();
    open.value = closed;
  };
  return (
    <dialog ref={node} class={`float ${kind}`} aria-label={name} onClose={leave} onPointerDown={(event) => event.target === node.current && leave()}>
      {children}
    </dialog>
  );
}
