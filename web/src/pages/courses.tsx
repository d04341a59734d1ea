// The charts of a service over a range: answers with percentiles or phases, and what its container used.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { services } from "../feed";
import type { Event, Incident, Phases, Series, Service, Usage } from "../model";
import { query, setQueries, setQuery } from "../router";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { Stack, type Around, type Plot } from "../ui/chart";
import { Numbers } from "../ui/figures";
import { Choice, Failed, Section } from "../ui/pieces";
import { broken, unseen } from "../ui/scale";
import { NB, bytes, exact, textOf } from "../words";

const RANGES = ["1h", "6h", "24h", "7d", "30d"] as const;
const MEGA = 1e6;
const shown = (range: string): string => range.replace(/(\d+)([hd])/, "$1 $2");
const seconds = (moment: string): number => Date.parse(moment) / 1000;
const light = (value: number): string => (value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(2)).toString());

const seenFrom = ({ since, statuses }: Series): number => seconds(statuses[0]?.started_at ?? since);

/** The middle of what a point sums up, and never before something was seen. */
function middleOf(series: Series): (point: Series["points"][number]) => number {
  const first = seenFrom(series);
  return (point) => Math.max(first, seconds(point.at) + series.step_seconds / 2);
}

/** What containers use is measured every ten seconds, give or take: a point late is no gap. */
const LATE = 2;

function answers(series: Series, expected: number): Plot {
  const [times, low, high] = broken(series.points, series.step_seconds, middleOf(series), [(point) => point.latency.p50_ms ?? point.latency.average_ms, (point) => point.latency.p95_ms ?? point.latency.max_ms]);
  return {
    name: T.chart.answer, unit: T.chart.answerUnit, high: 116, kind: "band", times, show: light,
    columns: [{ label: T.chart.p50, values: low ?? [] }, { label: T.chart.p95, values: high ?? [] }],
    limit: { value: expected, text: T.chart.expected },
    fails: series.points.filter((point) => point.latency.failures > 0).map(middleOf(series)),
  };
}

const PHASES = ["dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "transfer_ms"] as const;
const PHASE_NAMES = [T.chart.dns, T.chart.connect, T.chart.tls, T.chart.firstByte, T.chart.transfer];

function phases(split: Phases, series: Series): Plot {
  const { points, step_seconds } = split;
  const known = knownOf(split, series);
  const [times, ...values] = broken(points, step_seconds, (point) => seconds(point.at), PHASES.map((name) => (point) => point[name]));
  return {
    name: T.chart.answer, unit: T.chart.phaseUnit, high: 116, kind: "stack", times, show: light,
    columns: values.map((column, index) => ({ label: PHASE_NAMES[index] ?? "", values: column })),
    fails: series.points.filter((point) => point.latency.failures > 0).map(middleOf(series)), ...(known !== undefined && { known }),
  };
}

/** From when on a container or the phases are known, where that is well after the service was first seen. */
const knownOf = ({ points, step_seconds }: Usage | Phases, series: Series): number | undefined => {
  const first = points[0] && seconds(points[0].at);
  return first !== undefined && first - seenFrom(series) > 2 * step_seconds * LATE ? first : undefined;
};

/** What a container has none of, such as a network, has no chart. */
function used(usage: Usage, series: Series): Plot[] {
  const { points, step_seconds } = usage;
  const known = knownOf(usage, series);
  const read = (...columns: ((point: Usage["points"][number]) => number | null)[]) => broken(points, step_seconds * LATE, (point) => seconds(point.at), columns);
  const scaled = (value: number | null): number | null => (value === null ? null : value / MEGA);
  const [times, memory = []] = read((point) => scaled(point.memory_bytes));
  const [, cpu = []] = read((point) => point.cpu_percent);
  const [, inward = [], outward = []] = read((point) => point.network_in_rate, (point) => point.network_out_rate);
  const [, reading = [], writing = []] = read((point) => point.block_read_rate, (point) => point.block_write_rate);
  const limit = points.at(-1)?.memory_limit_bytes ?? null;
  const plot = (name: string, unit: string, columns: Plot["columns"], show = light): Plot => ({ name, unit, high: 52, kind: "lines", times, columns, show, ...(known !== undefined && { known }) });
  const all: Plot[] = [
    { ...plot(T.chart.memory, "MB", [{ label: "", values: memory }]), limit: limit === null ? null : { value: limit / MEGA, text: T.chart.limit } },
    plot(T.chart.cpu, T.chart.cpuUnit, [{ label: "", values: cpu }]),
    { ...plot(T.chart.network, "", []), ...rates([[T.chart.inward, inward], [T.chart.outward, outward]]) },
    { ...plot(T.chart.block, "", []), ...rates([[T.chart.read, reading], [T.chart.written, writing]]) },
  ];
  return all.filter(({ columns }) => columns.some(({ values }) => values.some((value) => value !== null)));
}

/** Bytes a second, in the unit that suits the largest. */
function rates(columns: [label: string, values: (number | null)[]][]): Pick<Plot, "unit" | "columns"> {
  const most = Math.max(1, ...columns.flatMap(([, values]) => values.map((value) => value ?? 0)));
  const unit = bytes(most).split(NB)[1] ?? "B";
  const by = 1000 ** ["B", "kB", "MB", "GB", "TB"].indexOf(unit);
  return {
    unit: `${unit}${T.chart.perSecond}, ${columns.map(([label]) => label).join(", ")}`,
    columns: columns.map(([label, values], index) => ({ label, isFaint: index > 0, values: values.map((value) => (value === null ? null : value / by)) })),
  };
}

const ACTS: Record<string, (event: Event) => string> = {
  ActionFinished: (event) => textOf(event, "action"),
  ComposeFinished: (event) => textOf(event, "action"),
  ContainerDied: () => "",
};

function actionsOf(events: readonly Event[]): Around["actions"] {
  return events.flatMap((event) => {
    const text = ACTS[event.event_type]?.(event);
    return text ? [{ at: seconds(event.timestamp), text }] : [];
  });
}

const FEW = 0.5;
const LEAD_SECONDS = 60;

/** Where less than half of the range was seen, the chart begins with the watching. */
function beginOf(series: Series): number {
  const [from, to, first] = [seconds(series.since), seconds(series.until), seenFrom(series)];
  return first - from > (to - from) * FEW ? Math.max(from, first - LEAD_SECONDS) : from;
}

/** Since when something is known, where that is not the whole range; a dash where nothing is. */
const fromOf = (known: Usage | Phases, series: Series): string => (known.points[0] ? (knownOf(known, series) === undefined ? "" : exact(known.points[0].at)) : T.none);

interface Props {
  one: Service;
  tick: number;
}

/** Of a range: what is asked for in the address. */
function useRange(): { range: string; asked: string; isZoomed: boolean } {
  const { range = "1h", since, until } = query.value;
  const isZoomed = Boolean(since && until);
  return { range, isZoomed, asked: isZoomed ? `since=${encodeURIComponent(since ?? "")}&until=${encodeURIComponent(until ?? "")}` : `range=${encodeURIComponent(range)}` };
}

const zoom = (from: number, to: number): void => setQueries({ since: new Date(from * 1000).toISOString(), until: new Date(Math.max(to, from + 60) * 1000).toISOString() });
const choose = (range: string): void => setQueries({ since: "", until: "", range: range === "1h" ? "" : range });

function useAround(one: Service, series: Series | null, tick: number): Around {
  const id = encodeURIComponent(one.id);
  const bounds = series ? `since=${encodeURIComponent(series.since)}&until=${encodeURIComponent(series.until)}` : "";
  const incidents = useAsked<{ incidents: Incident[] }>(series ? `/api/incidents?service_id=${id}&limit=100` : "", tick).value?.incidents ?? [];
  const mine = useAsked<{ events: Event[] }>(series ? `/api/events?service_id=${id}&event_type=ActionFinished&limit=100&${bounds}` : "", 0).value?.events ?? [];
  const jobs = useAsked<{ events: Event[] }>(series ? `/api/events?event_type=ComposeFinished&limit=100&${bounds}` : "", 0).value?.events ?? [];
  const gaps = useMemo(() => (series ? unseen(series) : []), [series]);
  return {
    since: series ? beginOf(series) : 0, until: series ? seconds(series.until) : 1, gaps,
    incidents: incidents.map((each) => ({ from: seconds(each.started_at), to: each.ended_at ? seconds(each.ended_at) : Date.now() / 1000, text: T.chart.incident })),
    actions: actionsOf([...mine, ...jobs]), onZoom: zoom, onBack: () => choose(query.value["range"] ?? "1h"),
  };
}

export function Courses({ one, tick }: Props) {
  const { range, asked, isZoomed } = useRange();
  const path = `/api/services/${encodeURIComponent(one.id)}`;
  const turn = isZoomed ? 0 : tick;
  const series = useAsked<Series>(`${path}/history?${asked}`, turn);
  const usage = useAsked<Usage>(one.docker_container ? `${path}/usage?${asked}` : "", turn).value;
  const isPhases = query.value["chart"] === "phases";
  const split = useAsked<Phases>(isPhases ? `${path}/phases?${asked}` : "", turn).value;
  const around = useAround(one, series.value, turn);
  const plots = useMemo(() => (series.value ? [isPhases && split ? phases(split, series.value) : answers(series.value, one.expected_response_time_ms), ...(usage ? used(usage, series.value) : [])] : []), [series.value, usage, isPhases, split, one.expected_response_time_ms]);
  const title = (
    <>
      <h2>{isZoomed ? T.chart.zoomed : T.chart.last(shown(range))}</h2>
      <Choice label={T.chart.kind} value={isPhases ? "phases" : "percentiles"} values={[["percentiles", T.chart.percentiles], ["phases", T.chart.phases]]} onChoose={(name) => setQuery("chart", name === "phases" ? name : "")} />
    </>
  );
  const ways: ComponentChildren = (
    <>
      {isZoomed && <button class="btn s" onClick={() => choose(range)}>{T.chart.back}</button>}
      <Choice label={T.chart.range} value={isZoomed ? "" : (range as (typeof RANGES)[number])} values={RANGES.map((name) => [name, shown(name)] as const)} onChoose={choose} />
    </>
  );
  return (
    <Section title={title} aside={ways}>
      <Failed what={T.chart.last(shown(range))} error={series.error} again={series.again} />
      {series.value && <Stack plots={plots} around={around} />}
      {series.value && <p class="legend">{around.since > seconds(series.value.since) && T.chart.before(exact(series.value.statuses[0]?.started_at))} {T.chart.help}</p>}
      {series.value && [usage && T.chart.usageFrom(fromOf(usage, series.value)), isPhases && split && T.chart.phasesFrom(fromOf(split, series.value))].map((text) => text && <p key={text} class="legend">{text}</p>)}
      <Numbers plots={plots} />
    </Section>
  );
}

/** The answers around an incident, for its page. */
export function CourseOf({ incident }: { incident: Incident }) {
  const one = services.value.get(incident.service_id);
  const began = Date.parse(incident.started_at);
  const ended = incident.ended_at ? Date.parse(incident.ended_at) : Date.now();
  const lead = Math.max(20 * 60_000, (ended - began) / 2);
  const from = new Date(began - lead).toISOString();
  const to = new Date(Math.min(Date.now(), ended + lead / 4)).toISOString().slice(0, 16);
  const bounds = `since=${encodeURIComponent(from.slice(0, 16) + ":00Z")}&until=${encodeURIComponent(`${to}:59Z`)}`;
  const path = `/api/services/${encodeURIComponent(incident.service_id)}`;
  const series = useAsked<Series>(one ? `${path}/history?${bounds}` : "").value;
  const usage = useAsked<Usage>(one?.docker_container ? `${path}/usage?${bounds}` : "").value;
  if (!one || !series) return null;
  const around: Around = {
    since: beginOf(series), until: seconds(series.until), gaps: unseen(series), actions: [], onBack: () => undefined, onZoom: () => undefined,
    incidents: [{ from: began / 1000, to: ended / 1000, text: T.chart.incident }],
  };
  return <Stack plots={[answers(series, one.expected_response_time_ms), ...(usage ? used(usage, series).slice(0, 1) : [])]} around={around} />;
}

