// Who needs whom, in columns from those nobody needs to those everything stands on; and the reach of a failure.
import { signal } from "@preact/signals";
import { services } from "../feed";
import type { Service } from "../model";
import { serviceAt } from "../router";
import { Mark, Say, Section } from "../ui/pieces";
import { figure, reason, worstFirst } from "../words";

const WIDTH = 168;
const HEIGHT = 44;
const COLUMN = 224;
const ROW = 64;

type Fleet = ReadonlyMap<string, Service>;
const chosen = signal("");

/** Everything that stands on a service, near or far. */
export function reach(id: string, fleet: Fleet): Set<string> {
  const found = new Set<string>();
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const one of fleet.values())
      if (one.depends_on.includes(next) && !found.has(one.id)) {
        found.add(one.id);
        waiting.push(one.id);
      }
  found.delete(id);
  return found;
}

/** The column of each: one further than the furthest that needs it; a circle ends where it began. */
export function columns(fleet: Fleet): Map<string, number> {
  const depth = new Map<string, number>();
  const visit = (id: string, level: number, path: ReadonlySet<string>): void => {
    const one = fleet.get(id);
    if (!one || path.has(id) || (depth.get(id) ?? -1) >= level) return;
    depth.set(id, level);
    for (const need of one.depends_on) visit(need, level + 1, new Set([...path, id]));
  };
  for (const one of fleet.values()) visit(one.id, 0, new Set());
  return depth;
}

function places(fleet: Fleet): Map<string, [number, number]> {
  const counts = new Map<number, number>();
  const depth = columns(fleet);
  const found = new Map<string, [number, number]>();
  for (const one of [...fleet.values()].sort((a, b) => a.id.localeCompare(b.id))) {
    const column = depth.get(one.id) ?? 0;
    const row = counts.get(column) ?? 0;
    counts.set(column, row + 1);
    found.set(one.id, [column * COLUMN + 4, row * ROW + 8]);
  }
  return found;
}

export function MapPage() {
  const fleet = new Map([...services.value].filter(([id, one]) => one.depends_on.length || [...services.value.values()].some((other) => other.depends_on.includes(id))));
  if (!fleet.size) return <Say head="No service names what it needs." rest="Add depends_on = [“other_service”] to a service in the config, and failures explain each other." />;
  const worst = [...fleet.values()].sort(worstFirst)[0];
  const id = fleet.has(chosen.value) ? chosen.value : (worst?.id ?? "");
  const root = fleet.get(id);
  const reached = reach(id, fleet);
  const at = places(fleet);
  const wide = Math.max(...[...at.values()].map(([x]) => x)) + WIDTH + 8;
  const high = Math.max(...[...at.values()].map(([, y]) => y)) + HEIGHT + 8;
  const failing = [...reached].filter((one) => fleet.get(one)?.status === "Unhealthy");
  const head = root?.status === "Unhealthy" ? `${root.name} is down${failing.length ? ` and takes ${failing.length} with it` : ""}.` : `If ${root?.name ?? ""} fails, it reaches ${reached.size} others.`;
  return (
    <>
      <Say head={head} rest="An arrow points from a service to what it needs. Choose a service to see what its failure would reach." />
      <div class="scrolled">
        <svg class="map" width={wide} height={high} role="group" aria-label="Dependency map; the same in words below">
          {[...fleet.values()].flatMap((one) =>
            one.depends_on.map((need) => {
              const [from, to] = [at.get(one.id), at.get(need)];
              if (!from || !to) return null;
              const [x1, y1, x2, y2] = [from[0] + WIDTH, from[1] + HEIGHT / 2, to[0], to[1] + HEIGHT / 2];
              const isReached = (reached.has(one.id) || one.id === id) && (reached.has(need) || need === id) && one.id !== id;
              const bend = Math.max(20, (x2 - x1) / 2);
              return <path key={`${one.id} ${need}`} class={isReached ? "edge reached" : "edge"} d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 4} ${y2}m-6 -4l6 4l-6 4`} />;
            }),
          )}
          {[...fleet.values()].map((one) => {
            const [x, y] = at.get(one.id) ?? [0, 0];
            const kind = one.id === id ? "chosen" : reached.has(one.id) ? "reached" : "";
            const choose = () => (chosen.value = one.id);
            return (
              <g key={one.id} class={`node ${kind}`} transform={`translate(${x} ${y})`} tabindex={0} role="button" aria-pressed={one.id === id} onClick={choose} onKeyDown={(event) => event.key === "Enter" && choose()}>
                <rect width={WIDTH} height={HEIGHT} rx="5" />
                <foreignObject x="10" y="6" width={WIDTH - 16} height={HEIGHT - 8}>
                  <div class="row cut"><Mark status={one.status} isNamed /><b class="cut">{one.name}</b></div>
                  <div class="soft cut">{reason(one) || `${figure(one.response_time_ms)} ms`}</div>
                </foreignObject>
              </g>
            );
          })}
        </svg>
      </div>
      {root && (
        <Section title={`If ${root.name} fails`}>
          <ul class="lately">
            {[...reached].map((each) => {
              const one = fleet.get(each);
              return one && <li key={each}><span class="row"><Mark status={one.status} isNamed /></span><a href={`#${serviceAt(each)}`}>{one.name}</a><span>{one.status === "Unhealthy" ? "fails now" : "at risk"}</span></li>;
            })}
          </ul>
          {!reached.size && <p class="soft">Nothing else needs it.</p>}
        </Section>
      )}
    </>
  );
}
