// The small pieces that every page is made of; `#ui` shows them all.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { T } from "../text";
import type { Asked } from "./asked";

export function Section({ title, aside, children, id }: { title: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; id?: string }) {
  return (
    <section class="sec" id={id}>
      <div class="hd">{typeof title === "string" ? <h2>{title}</h2> : title}{aside !== undefined && <><span class="sp" />{aside}</>}</div>
      {children}
    </section>
  );
}

export function Say({ head, rest, crumb, mark, children }: { head: string; rest?: ComponentChildren; crumb?: ComponentChildren; mark?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <>
      {crumb && <p class="crumb">{crumb}</p>}
      <div class="say">
        <div><h1 id="sentence">{mark}{mark && " "}{head}</h1>{rest && <p>{rest}</p>}</div>
        {children && <div class="acts">{children}</div>}
      </div>
    </>
  );
}

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="dl">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  const isEmpty = Array.isArray(children) && children.length === 0;
  if (isEmpty || children === null || children === undefined || children === "") return null;
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

/** One of a few, chosen by pressing it. */
export function Choice<V extends string>({ label, values, value, onChoose, isSmall = true }: { label: string; values: readonly (readonly [V, string])[]; value: V | ""; onChoose: (value: V) => void; isSmall?: boolean }) {
  return (
    <span class={isSmall ? "seg s" : "seg"} role="group" aria-label={label}>
      {values.map(([name, text]) => <button key={name} type="button" aria-pressed={name === value} onClick={() => onChoose(name)}>{text}</button>)}
    </span>
  );
}

export function Search({ label, placeholder, value, onInput, onKey, id, shortcut, children }: { label: string; placeholder: string; value: string; onInput: (value: string) => void; onKey?: (event: KeyboardEvent) => void; id?: string; shortcut?: string; children?: ComponentChildren }) {
  return (
    <label class="in">
      <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true"><circle cx="5" cy="5" r="3.5" /><path d="m7.8 7.8 3.2 3.2" /></svg>
      <span class="unseen">{label}</span>
      <input id={id} type="search" placeholder={placeholder} autocomplete="off" spellcheck={false} aria-keyshortcuts={shortcut} value={value} onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={onKey} />
      {children}
    </label>
  );
}

export function Tick({ label, isOn, onChange }: { label: string; isOn: boolean; onChange: (is: boolean) => void }) {
  return <label class="chk"><input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />{label}</label>;
}

export interface Entry {
  text: string;
  key?: string;
  isHurting?: boolean;
  off?: string;
  run: () => void;
}

/** A button that opens a short list of actions: arrows move, Enter does, Esc leaves. */
export function Menu({ label, name, entries, isQuiet = true }: { label: string; name: string; entries: Entry[]; isQuiet?: boolean }) {
  const isOpen = useSignal(false);
  const box = useRef<HTMLSpanElement>(null);
  const close = (isReturning = true) => {
    isOpen.value = false;
    if (isReturning) box.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!isOpen.value) return undefined;
    box.current?.querySelector<HTMLElement>("[role=menuitem]:not([disabled])")?.focus();
    const leave = (event: Event) => box.current?.contains(event.target as Node) === false && close(false);
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, [isOpen.value]);
  const onKey = (event: KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not([disabled])") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!isOpen.value) return;
    if (step) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") isOpen.value = false;
    if (step || event.key === "Escape") event.preventDefault();
    event.stopPropagation();
  };
  const choose = (entry: Entry) => {
    close();
    entry.run();
  };
  return (
    <span class="menu" ref={box} onKeyDown={onKey} onClick={(event) => event.stopPropagation()}>
      <button type="button" class={isQuiet ? "btn quiet s" : "btn s"} aria-haspopup="menu" aria-expanded={isOpen.value} aria-label={name} onClick={() => (isOpen.value = !isOpen.value)}>{label}</button>
      {isOpen.value && (
        <span class="float" role="menu" aria-label={name}>
          {entries.map((entry) => (
            <button key={entry.text} type="button" role="menuitem" tabIndex={-1} class={entry.isHurting ? "hurts" : ""} disabled={entry.off !== undefined && entry.off !== ""} title={entry.off} onClick={() => choose(entry)}>
              {entry.text}{entry.key && <kbd>{entry.key}</kbd>}
            </button>
          ))}
        </span>
      )}
    </span>
  );
}

/** What is shown of an answer once it is there; until then, that it is looked up; where it is refused, why. */
export function Answered<V>({ asked, what, children }: { asked: Asked<V>; what: string; children: (value: V) => ComponentChildren }) {
  const { value, error, again } = asked;
  return <><Failed what={what} error={error} again={again} />{value !== null ? children(value) : !error && <p class="soft small">{T.failed.looking}</p>}</>;
}

/** What could not be read says so, and offers to try again; the rest of the page goes on. */
export function Failed({ what, error, again }: { what: string; error: string; again?: (() => void) | undefined }) {
  if (!error) return null;
  return <p class="box d" role="status"><b>{T.failed.title(what)}</b> {error} {again && <button class="link" onClick={again}>{T.failed.again}</button>}</p>;
}
