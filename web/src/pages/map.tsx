// Who needs whom, from those nobody needs to those everything stands on; and the reach of a failure.
import { signal } from "@preact/signals";
import { services } from "../feed";
import { reach, rows, type Fleet } from "../graph";
import type { Service } from "../model";
import { go, serviceAt } from "../router";
import { T } from "../text";
import { Mark } from "../ui/marks";
import { Say, Section } from "../ui/pieces";
import { age, figure, names, reason, worstFirst } from "../words";
import { now } from "../feed";

const WIDTH = 140;
const HEIGHT = 46;
const COLUMN = 200;
const ROW = 68;

const chosen = signal("");

function joined(): Fleet {
  const needed = new Set([...services.value.values()].flatMap((one) => one.depends_on));
  return new Map([...services.value].filter(([id, one]) => one.depends_on.length > 0 || needed.has(id)));
}

function placesOf(fleet: Fleet): [at: Map<string, [number, number]>, wide: number, high: number] {
  const all = rows(fleet);
  const most = Math.max(...all.map((column) => column.length));
  const at = new Map<string, [number, number]>();
  all.forEach((column, x) => column.forEach((id, y) => at.set(id, [x * COLUMN + 2, (y + (most - column.length) / 2) * ROW + 4])));
  return [at, (all.length - 1) * COLUMN + WIDTH + 4, most * ROW];
}

const stateOf = (one: Service): string => (one.status === "Healthy" ? `${figure(one.response_time_ms)} ${T.units.ms}` : `${reason(one)}, ${age(one.since, now.value)}`);

type Touch = "root" | "hit" | "risk" | "off";

interface Drawn {
  fleet: Fleet;
  at: Map<string, [number, number]>;
  root: Service | undefined;
  touch: (id: string) => Touch;
}

function Edge({ from, to, drawn }: { from: Service; to: string; drawn: Drawn }) {
  const [a, b] = [drawn.at.get(from.id), drawn.at.get(to)];
  if (!a || !b) return null;
  const [x1, y1, x2, y2] = [a[0] + WIDTH, a[1] + HEIGHT / 2, b[0] - 1, b[1] + HEIGHT / 2];
  const isTouched = drawn.touch(from.id) !== "off" && drawn.touch(from.id) !== "root" && (drawn.touch(to) !== "off");
  const kind = !isTouched ? "" : drawn.touch(from.id) === "hit" ? "h" : "k";
  const bend = Math.max(24, (x2 - x1) / 2);
  return (
    <g class={`edge ${kind}`}>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 6} ${y2}`} />
      <path class="head" d={`M${x2} ${y2}l-7 -3.5v7z`} />
    </g>
  );
}

function Node({ one, drawn }: { one: Service; drawn: Drawn }) {
  const [x, y] = drawn.at.get(one.id) ?? [0, 0];
  const choose = () => (chosen.value = one.id);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && drawn.root?.id === one.id) go(serviceAt(one.id));
    else if (event.key === "Enter" || event.key === " ") choose();
    else return;
    event.preventDefault();
  };
  return (
    <g class={`node ${drawn.touch(one.id)} ${one.status}`} data-id={one.id} transform={`translate(${x} ${y})`} tabindex={0} role="button" aria-pressed={drawn.root?.id === one.id} onClick={choose} onDblClick={() => go(serviceAt(one.id))} onKeyDown={onKey}>
      <rect width={WIDTH} height={HEIGHT} rx="5" />
      <foreignObject x="10" y="5" width={WIDTH - 14} height={HEIGHT - 8}>
        <div class="in-node"><Mark status={one.status} isNamed /><b class="cut">{one.name}</b><span class="cut sub" title={reason(one)}>{stateOf(one)}</span></div>
      </foreignObject>
    </g>
  );
}

function touchOf(root: Service | undefined, reached: ReadonlyMap<string, string>, fleet: Fleet): (id: string) => Touch {
  return (id) => {
    if (id === root?.id) return "root";
    if (!reached.has(id)) return "off";
    return root?.status === "Unhealthy" && fleet.get(id)?.status === "Unhealthy" ? "hit" : "risk";
  };
}

function sentence(root: Service, reached: ReadonlyMap<string, string>, fleet: Fleet): string {
  if (root.status !== "Unhealthy") return T.map.reaches(root.name, reached.size);
  const failing = [...reached.keys()].flatMap((id) => fleet.get(id) ?? []).filter((one) => one.status === "Unhealthy");
  const risk = reached.size - failing.length;
  return (failing.length ? T.map.takes(root.name, names(failing)) : T.map.downAlone(root.name)) + (risk ? T.map.risk(risk) : "");
}

function Reach({ root, reached, fleet }: { root: Service; reached: ReadonlyMap<string, string>; fleet: Fleet }) {
  const critical = [...reached.keys()].filter((id) => fleet.get(id)?.critical).length;
  const says = (id: string, through: string): string =>
    root.status === "Unhealthy" && fleet.get(id)?.status === "Unhealthy" ? T.map.failsNow : through === root.id ? T.map.atRisk : T.map.through(fleet.get(through)?.name ?? through);
  return (
    <Section title={T.map.fails(root.name)}>
      <ul class="reach">
        {[...reached].map(([id, through]) => {
          const one = fleet.get(id);
          return one && <li key={id}><Mark status={one.status} isNamed /><a href={`#${serviceAt(id)}`}>{one.name}</a><span class={says(id, through) === T.map.failsNow ? "st-Unhealthy" : "soft"}>{says(id, through)}</span></li>;
        })}
      </ul>
      <p class="soft small">{reached.size ? T.map.share(reached.size, services.value.size - 1, critical) : T.map.nobody}</p>
    </Section>
  );
}

function Needs({ root }: { root: Service }) {
  const needs = root.depends_on.flatMap((id) => services.value.get(id) ?? []);
  return (
    <Section title={T.map.needs(root.name)}>
      {needs.length ? <ul class="reach">{needs.map((one) => <li key={one.id}><Mark status={one.status} isNamed /><a href={`#${serviceAt(one.id)}`}>{one.name}</a><span class="soft">{figure(one.response_time_ms)} {T.units.ms}</span></li>)}</ul> : <p class="soft small">{T.map.needsNone}</p>}
    </Section>
  );
}

function Legend() {
  const lines: [string, string][] = [["h", T.map.failLine], ["k", T.map.riskLine], ["", T.map.plainLine]];
  return (
    <Section title={T.map.lines}>
      <ul class="reach">{lines.map(([kind, text]) => <li key={text}><svg class="map" width="48" height="8" aria-hidden="true"><g class={`edge ${kind}`}><path d="M0 4h48" /></g></svg><span class="soft small">{text}</span></li>)}</ul>
    </Section>
  );
}

export function MapPage() {
  const fleet = joined();
  if (!fleet.size) return <Say head={T.map.none} rest={T.map.noneRest} />;
  const root = fleet.get(chosen.value) ?? [...fleet.values()].sort((a, b) => worstFirst(a, b))[0];
  const reached = root ? reach(root.id, fleet) : new Map<string, string>();
  const [at, wide, high] = placesOf(fleet);
  const drawn: Drawn = { fleet, at, root, touch: touchOf(root, reached, fleet) };
  return (
    <>
      <Say head={root ? sentence(root, reached, fleet) : T.map.none} rest={T.map.rest}>{root && <a class="btn link-blue" href={`#${serviceAt(root.id)}`}>{root.name}</a>}</Say>
      <div class="cols mapc">
        <div class="scrolled" tabIndex={0} role="group" aria-label={T.map.label}>
          <svg class="map" width={wide} height={high} viewBox={`0 0 ${wide} ${high}`}>
            {[...fleet.values()].flatMap((one) => one.depends_on.map((need) => <Edge key={`${one.id} ${need}`} from={one} to={need} drawn={drawn} />))}
            {[...fleet.values()].map((one) => <Node key={one.id} one={one} drawn={drawn} />)}
          </svg>
        </div>
        <aside>{root && <><Reach root={root} reached={reached} fleet={fleet} /><Needs root={root} /></>}<Legend /></aside>
      </div>
    </>
  );
}
