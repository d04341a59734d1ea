// Which services are shown, and in which order: pure, so that two thousand cost little.
import { wordsOf } from "./feed";
import type { Service } from "./model";
import { worstFirst } from "./words";

export type Line = { kind: "group"; name: string; well: number; all: number } | { kind: "service"; one: Service };

export type Asked = Readonly<Record<string, string>>;

export const FILTERS = ["q", "status", "type", "group", "label"] as const;

export function matches(one: Service, { q, status, type, group, label }: Asked): boolean {
  if (status && one.status !== status) return false;
  if (type && one.service_type !== type) return false;
  if (group && (one.group ?? "") !== group) return false;
  if (label) {
    const [name = "", value = ""] = label.split("=");
    if (one.labels[name] !== value) return false;
  }
  return !q || wordsOf(one.id).includes(q.toLowerCase());
}

export function shownOf(all: ReadonlyMap<string, Service>, order: readonly string[], asked: Asked): Service[] {
  const shown: Service[] = [];
  for (const id of order) {
    const one = all.get(id);
    if (one && matches(one, asked)) shown.push(one);
  }
  return shown;
}

/** What is not well first, the worst at the top; then the groups. `shown` comes ordered by group and name. */
export function linesOf(shown: readonly Service[]): Line[] {
  const bad: Service[] = [];
  const well: Line[] = [];
  type Group = Extract<Line, { kind: "group" }>;
  let group = null as Group | null;
  const hasGroups = shown.some((one) => one.group);
  for (const one of shown) {
    const name = one.group ?? "";
    if (hasGroups && group?.name !== name) {
      group = { kind: "group", name, well: 0, all: 0 };
      well.push(group);
    }
    if (group) group.all++;
    if (one.status !== "Healthy") bad.push(one);
    else {
      if (group) group.well++;
      well.push({ kind: "service", one });
    }
  }
  return [...bad.sort(worstFirst).map((one): Line => ({ kind: "service", one })), ...well.filter((line) => line.kind === "service" || line.well > 0)];
}

export const idOf = (line: Line): string => (line.kind === "group" ? `group ${line.name}` : line.one.id);
