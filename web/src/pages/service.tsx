// One service: its story, its answer times over a range, what it reports, its container, incidents, logs, actions.
import { useState } from "preact/hooks";
import { events, isStale, now, services } from "../feed";
import type { Health, Incident, Series, Service, Uptimes } from "../model";
import { query, setQuery } from "../router";
import { useAsked } from "../ui/asked";
import { Chart, Numbers } from "../ui/chart";
import { ActButton, Age, Beats, Fact, Mark, Say, Section, StoryLine } from "../ui/pieces";
import { Terminal, type TerminalLine } from "../ui/terminal";
import { age, bytes, causeOf, clock, exact, figure, percent, reason, span } from "../words";
import { IncidentList } from "./incidents";
import { Lately } from "./lately";
import { SilenceForm } from "./silence";

const RANGES = ["1h", "24h", "7d", "30d", "90d"];

function story(one: Service): [string, string] {
  const verb = isStale.value ? "was" : "is";
  const cause = one.status === "Unhealthy" ? causeOf(one, services.value) : undefined;
  const since = one.since ? ` since ${clock(one.since).slice(0, 5)} UTC (${age(one.since, now.value)})` : "";
  const head = one.status === "Healthy" ? `${one.name} ${verb} healthy${since}.` : `${one.name}: ${one.status.toLowerCase()}${since}. ${reason(one)}.`;
  return [head, cause ? `It needs ${cause.name}, which is down.` : ""];
}

function Answers({ one }: { one: Service }) {
  const range = query.value["range"] ?? "1h";
  const [since, until] = [query.value["since"], query.value["until"]];
  const asked = since && until ? `since=${encodeURIComponent(since)}&until=${encodeURIComponent(until)}` : `range=${range}`;
  const tick = since ? 0 : one.last_check;
  const path = `/api/services/${encodeURIComponent(one.id)}/history?${asked}`;
  const { value, error } = useAsked<Series>(path, tick);
  const choose = (name: string) => {
    setQuery("since", "");
    setQuery("until", "");
    setQuery("range", name === "1h" ? "" : name);
  };
  const zoom = (from: number, to: number) => {
    setQuery("since", new Date(from * 1000).toISOString());
    setQuery("until", new Date(to * 1000).toISOString());
  };
  const actions = events.value.filter((event) => event.service_id === one.id && event.event_type === "ServiceRestarted");
  return (
    <Section
      title="Answer times"
      aside={
        <span class="row">
          {RANGES.map((name) => (
            <button class="small" key={name} aria-pressed={!since && range === name} onClick={() => choose(name)}>{name}</button>
          ))}
          {since && <button class="small" onClick={() => choose(range)}>Zoom out</button>}
        </span>
      }
    >
      {error && <p class="why-not">{error}</p>}
      {value && (
        <div onDblClick={() => choose(range)}>
          <Chart series={value} expected={one.expected_response_time_ms} onZoom={zoom} marks={actions.map((event) => ({ at: event.timestamp, text: "restart" }))} />
          <p class="soft">Median in ink, 95th percentile fainter, expected dashed; a red tick is a failed check. Drag to zoom, double click to return.</p>
          <Numbers series={value} />
        </div>
      )}
    </Section>
  );
}

function Phases({ health }: { health: Health }) {
  const phases = Object.entries(health.phases ?? {}).filter(([, seconds]) => seconds > 0);
  const whole = phases.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (!whole) return null;
  return (
    <Section title="Where the last check’s time went">
      <table class="plain">
        <tbody>
          {phases.map(([name, seconds]) => (
            <tr key={name}>
              <td>{name.replace("_", " ")}</td>
              <td class="number">{figure(seconds * 1000)} ms</td>
              <td class="wide"><span class="bar-of" style={{ width: `${(seconds / whole) * 100}%` }} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Checks({ health }: { health: Health }) {
  return (
    <Section title="Checks">
      <table>
        <tbody>
          {health.checks.map((check) => (
            <tr key={check.name} class={check.status === "Healthy" ? "" : check.status}>
              <td><Mark status={check.status} isNamed /></td>
              <td class="name">{check.name}</td>
              <td class="why">{check.message ?? ""}</td>
              <td class="number">{check.response_time_ms === null ? "" : `${figure(check.response_time_ms)} ms`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function ContainerFacts({ health }: { health: Health }) {
  const { container, metrics } = health;
  if (!container) return null;
  return (
    <Section title="Container">
      <dl class="facts">
        <Fact name="Name">{container.name}</Fact>
        <Fact name="State">{container.state}</Fact>
        <Fact name="Image"><span title={container.image_id}>{container.image}</span></Fact>
        <Fact name="Started">{container.started_at && <><Age at={container.started_at} /> ago</>}</Fact>
        <Fact name="Exit code">{container.exit_code}</Fact>
        <Fact name="Out of memory">{container.oom_killed ? "yes" : ""}</Fact>
        <Fact name="Restarts">{container.restart_count}</Fact>
        <Fact name="Processor">{metrics.cpu_usage_percent === null ? null : `${figure(metrics.cpu_usage_percent)} % of a core`}</Fact>
        <Fact name="Memory">{metrics.memory_usage_mb === null ? null : `${figure(metrics.memory_usage_mb)} MiB`}</Fact>
        <Fact name="Network in, out">{metrics.network_in_bytes === null ? null : `${bytes(metrics.network_in_bytes)}, ${bytes(metrics.network_out_bytes)}`}</Fact>
        <Fact name="Disk read, written">{metrics.block_read_bytes === null ? null : `${bytes(metrics.block_read_bytes)}, ${bytes(metrics.block_write_bytes)}`}</Fact>
      </dl>
    </Section>
  );
}

interface LogLine {
  timestamp: string;
  stream: string;
  text: string;
}

function readLine(line: string): TerminalLine {
  const { timestamp, stream, text } = JSON.parse(line) as LogLine;
  return { at: timestamp, kind: stream, text };
}

function Logs({ one }: { one: Service }) {
  const [isOpen, open] = useState(query.value["logs"] === "1");
  if (!one.docker_container) return null;
  const toggle = () => {
    setQuery("logs", isOpen ? "" : "1");
    open(!isOpen);
  };
  return (
    <Section title="Logs" aside={<button class="small" data-logs aria-pressed={isOpen} onClick={toggle}>{isOpen ? "Close" : "Follow the logs"}</button>}>
      {isOpen && <Terminal path={`/api/services/${encodeURIComponent(one.id)}/logs?follow=true&tail=500&format=ndjson`} read={readLine} name={one.name} />}
    </Section>
  );
}

export function ServicePage({ id }: { id: string }) {
  const one = services.value.get(id);
  const path = `/api/services/${encodeURIComponent(id)}`;
  const health = useAsked<Health>(`${path}/health`, one?.last_check).value;
  const uptime = useAsked<Uptimes>(`${path}/uptime`, one?.status).value;
  const incidents = useAsked<{ incidents: Incident[] }>(`/api/incidents?service_id=${encodeURIComponent(id)}&limit=10`, one?.status).value;
  const [isSilencing, silence] = useState(false);
  if (!one) return <Say head={services.value.size ? `No service ${id} is watched.` : "Connecting"} rest={<a href="#">All services</a>} />;
  const [head, rest] = story(one);
  return (
    <>
      <p class="soft"><a href="#">All services</a></p>
      <Say head={head} rest={rest}>
        {one.docker_container && <ActButton one={one} action="restart" isMain={one.is_down} />}
        {one.docker_container && (health?.container?.state === "running" || !health?.container ? <ActButton one={one} action="stop" /> : <ActButton one={one} action="start" />)}
        <button data-silence aria-expanded={isSilencing} onClick={() => silence(!isSilencing)}>Silence</button>
      </Say>
      <StoryLine id={id} />
      {isSilencing && <SilenceForm serviceId={id} onDone={() => silence(false)} />}
      <dl class="facts">
        <Fact name="Answer">{figure(one.response_time_ms)} ms, expected {figure(one.expected_response_time_ms)}</Fact>
        <Fact name="Last check"><Age at={one.last_check} />, every {span(one.interval_seconds)}</Fact>
        <Fact name="Type">{one.service_type}{one.critical ? ", critical" : ""}</Fact>
        <Fact name="Needs">{one.depends_on.map((need) => <a key={need} href={`#service/${encodeURIComponent(need)}`}>{services.value.get(need)?.name ?? need} </a>)}</Fact>
        {Object.entries(uptime?.ranges ?? {}).map(([range, value]) => <Fact key={range} name={`Uptime, ${range}`}>{percent(value.uptime_percent)}</Fact>)}
        <Fact name="Certificate ends">{health?.certificate ? exact(health.certificate.expires).slice(0, 10) : ""}</Fact>
      </dl>
      <Beats one={one} />
      <Answers one={one} />
      {health && health.checks.length > 0 && <Checks health={health} />}
      {health && <ContainerFacts health={health} />}
      <Logs one={one} />
      {incidents && incidents.incidents.length > 0 && <Section title="Incidents"><IncidentList incidents={incidents.incidents} /></Section>}
      {health && <Phases health={health} />}
      <Lately of={id} />
    </>
  );
}
