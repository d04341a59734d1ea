// The palette: services, actions and pages, found by a few letters; `>` finds actions only.
import { useEffect, useRef, useState } from "preact/hooks";
import { begin, checkNow, whoNeeds } from "../act";
import { isPaletteOpen, wantsSilence } from "../dialogs";
import { now, services } from "../feed";
import type { Service, Status } from "../model";
import { go, serviceAt } from "../router";
import { T } from "../text";
import { openLogs } from "../ui/acting";
import { Dialog } from "../ui/dialog";
import { Mark } from "../ui/marks";
import { age, names, reason, worstFirst } from "../words";

interface Found {
  group: string;
  name: string;
  says: string;
  status?: Status;
  shortcut?: string;
  run: () => void;
}

const SERVICES = 6;
const ACTED = 2;

export const PAGES: [where: string, name: string, shortcut: string][] = [
  ["", T.nav.overview, "g o"], ["incidents", T.nav.incidents, "g i"], ["alerts", T.nav.alerts, "g a"], ["jobs", T.nav.jobs, "g j"], ["map", T.nav.map, "g m"], ["activity", T.nav.activity, "g v"], ["wall", T.nav.wall, ""], ["ui", T.nav.ui, ""],
];

function says(one: Service): string {
  return one.status === "Healthy" ? one.service_type : `${T.status[one.status]}, ${age(one.since, now.value)}: ${reason(one)}`;
}

function actionsOf(one: Service): Found[] {
  const group = T.palette.actions;
  const contained: Found[] = one.docker_container
    ? [
        { group, name: T.palette.restart(one.name), says: T.palette.asksFirst(names(whoNeeds(one.id))), shortcut: "r", run: () => (go(serviceAt(one.id)), begin(one, "restart")) },
        { group, name: T.palette.logs(one.name), says: "", shortcut: "l", run: () => openLogs(one) },
      ]
    : [];
  return [
    ...contained,
    { group, name: T.palette.check(one.name), says: "", shortcut: "c", run: () => void checkNow(one.id) },
    { group, name: T.palette.silence(one.name), says: "", shortcut: "s", run: () => (wantsSilence.value = one.id) },
  ];
}

/** The first few actions whose name has these letters, of the services that are worst. */
function verbsOf(words: string, all: readonly Service[]): Found[] {
  const found: Found[] = [];
  for (const one of [...all].sort(worstFirst)) {
    if (found.length >= SERVICES) break;
    if ([T.palette.restart, T.palette.logs, T.palette.check, T.palette.silence].some((named) => named(one.name).toLowerCase().includes(words))) found.push(...actionsOf(one).filter((each) => each.name.toLowerCase().includes(words)));
  }
  return found.slice(0, SERVICES);
}

export function find(asked: string, all: readonly Service[]): Found[] {
  const onlyActions = asked.startsWith(">");
  const words = asked.replace(/^>/, "").trim().toLowerCase();
  const near = all.filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(words)).sort(worstFirst);
  const actions = (near.length && words ? near.slice(0, onlyActions ? SERVICES : ACTED).flatMap(actionsOf) : onlyActions || words.length > 1 ? verbsOf(words, all) : []);
  if (onlyActions) return actions;
  const pages = PAGES.filter(([, name]) => name.toLowerCase().includes(words)).map(([where, name, shortcut]): Found => ({ group: T.palette.pages, name, says: T.palette.page, shortcut, run: () => go(where) }));
  const services = near.slice(0, SERVICES).map((one): Found => ({ group: T.palette.services, name: one.name, says: says(one), status: one.status, run: () => go(serviceAt(one.id)) }));
  return [...services, ...(words ? actions : []), ...pages];
}

function Bold({ text, wanted }: { text: string; wanted: string }) {
  const at = wanted ? text.toLowerCase().indexOf(wanted) : -1;
  if (at < 0) return <>{text}</>;
  return <>{text.slice(0, at)}<b>{text.slice(at, at + wanted.length)}</b>{text.slice(at + wanted.length)}</>;
}

export function Palette() {
  const [asked, askFor] = useState("");
  const [at, setAt] = useState(0);
  const found = find(asked, [...services.value.values()]);
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => here.current?.querySelector(".on")?.scrollIntoView({ block: "nearest" }), [at, asked]);
  const wanted = asked.replace(/^>/, "").trim().toLowerCase();
  const choose = (each: Found | undefined) => {
    isPaletteOpen.value = false;
    if (each) setTimeout(each.run, 0);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((before) => (before + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") choose(found[at]);
    else return;
    event.preventDefault();
  };
  let group = "";
  return (
    <Dialog open={isPaletteOpen} closed={false} name={T.palette.title} kind="pal">
      <input class="q" type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant={found.length ? `found-${at}` : undefined} aria-label={T.palette.title} placeholder={T.palette.title} autofocus autocomplete="off" spellcheck={false} value={asked} onKeyDown={onKey} onInput={(event) => (askFor(event.currentTarget.value), setAt(0))} />
      <div id="found" ref={here} role="listbox" aria-label={T.palette.title}>
        {found.map((each, index) => {
          const isNew = each.group !== group;
          group = each.group;
          return (
            <>
              {isNew && <div class="g" role="presentation">{each.group}</div>}
              <div key={each.group + each.name} id={`found-${index}`} role="option" aria-selected={index === at} class={index === at ? "o on" : "o"} onClick={() => choose(each)} onPointerMove={() => index !== at && setAt(index)}>
                {each.status ? <Mark status={each.status} isNamed /> : <span />}<span><Bold text={each.name} wanted={wanted} /></span><span class="w">{each.says}</span>{index === at ? <kbd>Enter</kbd> : each.shortcut ? <kbd>{each.shortcut}</kbd> : <span />}
              </div>
            </>
          );
        })}
        {!found.length && <p class="g">{T.palette.nothing(asked)}</p>}
      </div>
      <div class="ft"><span><kbd>↑</kbd> <kbd>↓</kbd> {T.palette.choose}</span><span><kbd>Enter</kbd> {T.palette.open}</span><span><kbd>&gt;</kbd> {T.palette.actionsOnly}</span><span class="sp" /><span>{T.palette.found(found.length)}</span></div>
    </Dialog>
  );
}
