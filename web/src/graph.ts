// Who needs whom: how far a failure reaches, and where each stands on the map. Pure.
import type { Service } from "./model";

export type Fleet = ReadonlyMap<string, Service>;

/** Everything that stands on a service, near or far, and through whom it is reached. */
export function reach(id: string, fleet: Fleet): Map<string, string> {
  const found = new Map<string, string>();
  let edge = [id];
  while (edge.length) {
    const next: string[] = [];
    for (const one of fleet.values()) {
      const through = edge.find((each) => one.depends_on.includes(each));
      if (through === undefined || found.has(one.id) || one.id === id) continue;
      found.set(one.id, through);
      next.push(one.id);
    }
    edge = next;
  }
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

const SWEEPS = 6;

/** The services of each column from top to bottom, each near the middle of those it is joined to, so that few lines cross. */
export function rows(fleet: Fleet): string[][] {
  const found: string[][] = [];
  for (const [id, column] of columns(fleet)) (found[column] ??= []).push(id);
  const joined = new Map<string, Set<string>>([...fleet.keys()].map((id) => [id, new Set<string>()]));
  for (const one of fleet.values())
    for (const need of one.depends_on) {
      joined.get(one.id)?.add(need);
      joined.get(need)?.add(one.id);
    }
  for (const column of found) column.sort();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const place = new Map<string, number>();
    for (const column of found) column.forEach((id, index) => place.set(id, (index + 0.5) / column.length));
    for (const column of sweep % 2 ? [...found].reverse() : found) {
      const middle = (id: string): number => {
        const near = [...(joined.get(id) ?? [])].flatMap((each) => place.get(each) ?? []);
        return near.length ? near.reduce((sum, each) => sum + each, 0) / near.length : (place.get(id) ?? 0);
      };
      const wanted = new Map(column.map((id) => [id, middle(id)]));
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      column.forEach((id, index) => place.set(id, (index + 0.5) / column.length));
    }
  }
  return found;
}
