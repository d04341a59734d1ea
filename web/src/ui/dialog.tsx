// The dialogs: the key, the help, and the palette over services and pages.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { key } from "../api";
import { isHelpOpen, isKeyOpen, isPaletteOpen } from "../dialogs";
import { services } from "../feed";
import { go, serviceAt } from "../router";
import { hasSingleKeys, setSingleKeys } from "../keys";
import { worstFirst } from "../words";
import { Mark } from "./pieces";

function Dialog({ open, name, children }: { open: Signal<boolean>; name: string; children: ComponentChildren }) {
  const node = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open.value) node.current?.showModal();
  }, [open.value]);
  if (!open.value) return null;
  return (
    <dialog ref={node} aria-label={name} onClose={() => (open.value = false)}>
      {children}
    </dialog>
  );
}

function KeyDialog() {
  const [value, setValue] = useState("");
  const [isKept, keep] = useState(false);
  const send = (event: Event) => {
    event.preventDefault();
    if (value.trim()) key.set(value.trim(), isKept);
    location.reload();
  };
  const forget = () => {
    key.forget();
    location.reload();
  };
  return (
    <Dialog open={isKeyOpen} name="API key or JWT">
      <form class="form" onSubmit={send}>
        <h2>API key or JWT</h2>
        <p class="soft">Kept in this tab only unless you say otherwise, and sent with what you ask for.</p>
        <label>Key<input type="password" autocomplete="off" value={value} onInput={(event) => setValue(event.currentTarget.value)} /></label>
        <label class="check"><input type="checkbox" checked={isKept} onChange={(event) => keep(event.currentTarget.checked)} /> Keep it in this browser</label>
        <div class="row"><button class="filled">Use it</button><button type="button" onClick={forget}>Forget it</button><button type="button" onClick={() => (isKeyOpen.value = false)}>Leave</button></div>
      </form>
    </Dialog>
  );
}

const KEYS: [string, string][] = [
  ["/", "search"], ["j k", "next, previous service"], ["Enter", "open it"], ["Esc", "back"], ["r", "restart"], ["l", "logs"], ["s", "silence"],
  ["g o", "overview"], ["g i", "incidents"], ["g a", "alerts"], ["g j", "jobs"], ["g m", "map"], ["g v", "activity"],
  ["Ctrl K", "find anything"], ["t", "light, dark"], ["?", "this help"],
];

function HelpDialog() {
  return (
    <Dialog open={isHelpOpen} name="Keys">
      <form method="dialog">
        <h2>Keys</h2>
        <dl class="keys">{KEYS.map(([name, text]) => <div key={name}><dt><kbd>{name}</kbd></dt><dd>{text}</dd></div>)}</dl>
        <label class="check"><input type="checkbox" checked={hasSingleKeys.value} onChange={(event) => setSingleKeys(event.currentTarget.checked)} /> Single letters act</label>
        <p class="row"><button class="filled">Close</button></p>
      </form>
    </Dialog>
  );
}

export const PAGES: [string, string][] = [["", "Overview"], ["incidents", "Incidents"], ["alerts", "Alerts"], ["jobs", "Jobs"], ["map", "Map"], ["activity", "Activity"], ["wall", "Wall"]];

function Palette() {
  const [wanted, want] = useState("");
  const [at, setAt] = useState(0);
  if (!isPaletteOpen.value) return null;
  const words = wanted.toLowerCase();
  const found = [
    ...[...services.value.values()].sort(worstFirst).map((one) => ({ name: one.name, text: one.service_type, where: serviceAt(one.id), one })),
    ...PAGES.map(([where, name]) => ({ name, text: "page", where, one: null })),
  ].filter((each) => `${each.name} ${each.where}`.toLowerCase().includes(words)).slice(0, 12);
  const close = () => {
    isPaletteOpen.value = false;
    want("");
    setAt(0);
  };
  const choose = (where: string) => {
    close();
    go(where);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") choose(found[at]?.where ?? "");
    else return;
    event.preventDefault();
  };
  return (
    <Dialog open={isPaletteOpen} name="Find a service or a page">
      <input class="find" type="search" aria-controls="found" aria-activedescendant={`found-${at}`} aria-label="Find a service or a page" autofocus value={wanted} onKeyDown={onKey} onInput={(event) => (want(event.currentTarget.value), setAt(0))} />
      <ul id="found" role="listbox" class="found">
        {found.map((each, index) => (
          <li key={each.where} id={`found-${index}`} role="option" aria-selected={index === at} onClick={() => choose(each.where)}>
            {each.one ? <Mark status={each.one.status} isNamed /> : <span class="mark" />}<b>{each.name}</b><span class="soft">{each.text}</span>
          </li>
        ))}
        {!found.length && <li class="soft">Nothing matches “{wanted}”.</li>}
      </ul>
    </Dialog>
  );
}

export function Dialogs() {
  return (
    <>
      <KeyDialog />
      <HelpDialog />
      <Palette />
    </>
  );
}
