// The fleet: one sentence, the figures, and the services worst first.
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { changedAt, heard, isLate, isStale, now, services } from "../feed";
import type { Service, Status } from "../model";
import { go, query, serviceAt, setQuery } from "../router";
import { ActButton, Age, Beats, Mark, Say, Spark, StoryLine } from "../ui/pieces";
import { usePart } from "../ui/windowed";
import { causeOf, figure, reason, sentence, worstFirst } from "../words";
import { Lately } from "./lately";

const STATUSES: Status[] = ["Unhealthy", "Degraded", "Unknown", "Healthy"];
const CHANGED_MS = 2000;
const isHeld = signal(false); // the pointer or the focus is in the list: its rows stay where they are
const isSortedNow = signal(0);

function matches(one: Service): boolean {
  const { q = "", status, type, group } = query.value;
  if (status && one.status !== status) return false;
  if (type && one.service_type !== type) return false;
  if (group && (one.group ?? "") !== group) return false;
  if (!q) return true;
  const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${value}`);
  const words = [one.id, one.name, one.service_type, one.group ?? "", ...labels].join(" ").toLowerCase();
  return words.includes(q.toLowerCase());
}

function Chips({ all }: { all: Service[] }) {
  const chosen = query.value["status"] ?? "";
  const times = all.flatMap((one) => (one.response_time_ms === null ? [] : [one.response_time_ms]));
  const critical = all.filter((one) => one.critical);
  const average = times.length ? times.reduce((a, b) => a + b, 0) / times.length : null;
  return (
    <div class="chips" role="group" aria-label="Filter by status">
      <button aria-pressed={!chosen} onClick={() => setQuery("status", "")}>
        <b>{all.length}</b>All
      </button>
      {STATUSES.map((status) => (
        <button key={status} aria-pressed={chosen === status} onClick={() => setQuery("status", status === chosen ? "" : status)}>
          <Mark status={status} />
          <b>{all.filter((one) => one.status === status).length}</b>
          <span class="word">{status}</span>
        </button>
      ))}
      <Choice name="type" values={all.map((one) => one.service_type)} />
      <Choice name="group" values={all.flatMap((one) => (one.group ? [one.group] : []))} />
      <button aria-pressed={query.value["view"] === "grid"} onClick={() => setQuery("view", query.value["view"] === "grid" ? "" : "grid")}>
        Grid
      </button>
      <span class="figures">
        <span>
          critical down {critical.filter((one) => one.status === "Unhealthy").length} of {critical.length}
        </span>
        <span>average response {figure(average)} ms</span>
      </span>
    </div>
  );
}

function Choice({ name, values }: { name: string; values: string[] }) {
  const known = [...new Set(values)].sort();
  if (known.length < 2) return null;
  return (
    <select aria-label={`Filter by ${name}`} value={query.value[name] ?? ""} onChange={(event) => setQuery(name, event.currentTarget.value)}>
      <option value="">every {name}</option>
      {known.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  );
}

function Row({ one }: { one: Service }) {
  const cause = one.status === "Unhealthy" ? causeOf(one, services.value) : undefined;
  const open = () => go(serviceAt(one.id));
  const isChanged = Date.now() - (changedAt.get(one.id) ?? 0) < CHANGED_MS;
  const late = isLate(one) && !isStale.value ? " late" : "";
  return (
    <tr
      class={`${one.status}${isChanged ? " changed" : ""}${late}`}
      data-id={one.id}
      tabIndex={0}
      onClick={open}
      onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && open()}
    >
      <td><Mark status={one.status} isNamed /></td>
      <td class={one.critical ? "name flag" : "name"} title={one.critical ? "critical" : ""}>{one.name}</td>
      <td class="type">{one.service_type}</td>
      <td class="why">
        {late ? "No check for two intervals" : reason(one)}
        {cause && <div class="soft">Needs {cause.name}, which is down.</div>}
        <StoryLine id={one.id} />
      </td>
      <td class="number">{figure(one.response_time_ms)}</td>
      <td class="spread"><Spark one={one} /></td>
      <td class="beat-cell"><Beats one={one} /></td>
      <td class="number since"><Age at={one.since} /></td>
      <td class="acts">{one.docker_container && <ActButton one={one} action="restart" />}</td>
    </tr>
  );
}

type Line = { kind: "group"; name: string; text: string } | { kind: "service"; one: Service };

function linesOf(shown: Service[]): Line[] {
  const lines: Line[] = shown.filter((one) => one.status !== "Healthy").sort(worstFirst).map((one) => ({ kind: "service", one }));
  const groups = new Map<string, Service[]>();
  for (const one of shown) groups.set(one.group ?? "", [...(groups.get(one.group ?? "") ?? []), one]);
  for (const [name, members] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const well = members.filter((one) => one.status === "Healthy").sort((a, b) => a.id.localeCompare(b.id));
    if (name && well.length) lines.push({ kind: "group", name, text: `${well.length} of ${members.length} healthy` });
    lines.push(...well.map((one): Line => ({ kind: "service", one })));
  }
  return lines;
}

const idOf = (line: Line): string => (line.kind === "group" ? `group ${line.name}` : line.one.id);

/** Keep the order while somebody is in the list; say how many rows would move. */
function useOrder(lines: Line[]): [Line[], number] {
  const kept = useRef<{ order: string[]; asked: number }>({ order: [], asked: -1 });
  const fresh = lines.map(idOf);
  const isSame = kept.current.order.length === fresh.length && new Set(fresh).size === new Set([...fresh, ...kept.current.order]).size;
  if (!isHeld.value || !isSame || kept.current.asked !== isSortedNow.value) kept.current = { order: fresh, asked: isSortedNow.value };
  const byId = new Map(lines.map((line) => [idOf(line), line]));
  const order = kept.current.order;
  return [order.flatMap((id) => byId.get(id) ?? []), order.filter((id, index) => id !== fresh[index]).length];
}

const heightOf = (line: Line): number => (line.kind === "service" && line.one.status === "Healthy" ? 32 : 48);

function Table({ shown }: { shown: Service[] }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [lines, moved] = useOrder(linesOf(shown));
  const part = usePart(lines.map(heightOf), () => (body.current?.getBoundingClientRect().top ?? 0) + scrollY);
  const hold = (is: boolean) => () => (isHeld.value = is);
  return (
    <>
      {moved > 0 && (
        <p class="moved">
          {moved} rows would move. <button class="quiet small" onClick={() => isSortedNow.value++}>Sort now</button>
        </p>
      )}
      <table onPointerEnter={hold(true)} onPointerLeave={hold(false)} onFocusCapture={hold(true)} onBlurCapture={hold(false)}>
        <thead>
          <tr>
            <th scope="col"><span class="unseen">Status</span></th>
            <th scope="col">Service</th>
            <th scope="col" class="type">Type</th>
            <th scope="col">What is wrong</th>
            <th scope="col" class="number">Answer, ms</th>
            <th scope="col" class="spread"><span class="unseen">Answer times</span></th>
            <th scope="col" class="beat-cell">Last checks</th>
            <th scope="col" class="number since">Since</th>
            <th scope="col"><span class="unseen">Actions</span></th>
          </tr>
        </thead>
        <tbody ref={body}>
          {part.above > 0 && <tr class="room"><td colSpan={9} style={{ height: `${part.above}px` }} /></tr>}
          {lines.slice(part.from, part.to).map((line) =>
            line.kind === "group" ? (
              <tr class="group" key={idOf(line)}>
                <td colSpan={9}><b>{line.name}</b>{line.text}</td>
              </tr>
            ) : (
              <Row key={line.one.id} one={line.one} />
            ),
          )}
          {part.below > 0 && <tr class="room"><td colSpan={9} style={{ height: `${part.below}px` }} /></tr>}
        </tbody>
      </table>
    </>
  );
}

function Grid({ shown }: { shown: Service[] }) {
  return (
    <ul class="grid">
      {[...shown].sort(worstFirst).map((one) => (
        <li key={one.id}>
          <a class={`tile ${one.status}`} data-id={one.id} href={`#${serviceAt(one.id)}`}>
            <span class="row"><Mark status={one.status} isNamed /><b class={one.critical ? "cut flag" : "cut"}>{one.name}</b></span>
            <span class="soft cut">{reason(one) || `${figure(one.response_time_ms)} ms`}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function NoMatch() {
  const asked = query.value["q"] ?? query.value["status"] ?? "";
  const clear = () => ["q", "status", "type", "group"].forEach((name) => setQuery(name, ""));
  return (
    <p>
      Nothing matches “{asked}”. <button onClick={clear}>Show all</button>
    </p>
  );
}

export function Overview() {
  const all = [...services.value.values()];
  if (!heard.value) return <Say head="Connecting" />;
  const [head, rest] = sentence(services.value, !isStale.value, now.value);
  const shown = all.filter(matches);
  const first = all.filter((one) => one.is_down && one.docker_container).sort(worstFirst).find((one) => !causeOf(one, services.value));
  return (
    <>
      <Say head={head} rest={rest}>{first && <ActButton one={first} action="restart" isMain />}</Say>
      <Chips all={all} />
      {!shown.length && all.length > 0 ? <NoMatch /> : query.value["view"] === "grid" ? <Grid shown={shown} /> : <Table shown={shown} />}
      <Lately />
    </>
  );
}
