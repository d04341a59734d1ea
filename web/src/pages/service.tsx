// One service: its story, its course over a range, what it reports, its container, incidents, logs, actions.
import { asking, checkNow, whoNeeds } from "../act";
import { openIncidents } from "../counts";
import { wantsSilence } from "../dialogs";
import { heard, isStale, lostAt, now, services } from "../feed";
import type { Health, Incident, Service, SloLine, Uptimes } from "../model";
import { incidentAt, query, serviceAt, setQuery } from "../router";
import { T } from "../text";
import { ActButton, Asking, StoryLine } from "../ui/acting";
import { useAsked } from "../ui/asked";
import { Flag, Mark } from "../ui/marks";
import { Fact, Facts, Failed, Say, Section } from "../ui/pieces";
import type { TerminalLine } from "../ui/lines";
import { Terminal } from "../ui/terminal";
import { age, bytes, causeOf, clock, exact, figure, minute, names, percent, reason, span } from "../words";
import { Courses } from "./courses";
import { Lately } from "./lately";

const CHART_MS = 5000;
const RANGES = ["24h", "7d", "30d"];

function story(one: Service): [string, string] {
  const isOld = isStale.value;
  if (isOld) return [T.service.then(clock(lostAt.value || heard.value), one.name, T.status[one.status].toLowerCase()), ""];
  const cause = one.status === "Unhealthy" ? causeOf(one, services.value) : undefined;
  const needed = whoNeeds(one.id);
  const ageNow = age(one.since, now.value);
  const verb = T.service.verbs[one.is_down ? "down" : one.status] ?? "";
  const head = one.status === "Healthy" ? T.service.healthy(one.name, ageNow) : one.status === "Unknown" ? T.service.unseen(one.name) : T.service.bad(one.name, verb, minute(one.since), ageNow, reason(one));
  const answer = one.response_time_ms === null ? "" : T.service.answers(figure(one.response_time_ms), figure(one.expected_response_time_ms));
  return [head, [cause && T.reason.needs(cause.name), answer, needed.length > 0 && T.service.needed(names(needed), needed.length)].filter(Boolean).join(" ")];
}

function nextCheck(one: Service): string {
  if (!one.last_check || isStale.value) return "";
  const ago = (now.value - Date.parse(one.last_check)) / 1000;
  return T.service.next(span(ago), Math.max(0, Math.round(one.interval_seconds - ago)));
}

function Actions({ one, isRunning }: { one: Service; isRunning: boolean }) {
  const incident = openIncidents.value.find((each) => each.service_id === one.id);
  const off = isStale.value ? T.act.notConnected : "";
  return (
    <div class="actions" data-id={one.id} tabIndex={-1}>
      {one.docker_container && <ActButton one={one} action="restart" kind={one.is_down ? "main" : ""} isNamed={one.is_down} />}
      {one.docker_container && <ActButton one={one} action={isRunning ? "stop" : "start"} />}
      <button class="btn" disabled={off !== ""} title={off} onClick={() => void checkNow(one.id)}>{T.act.check}</button>
      <button class="btn" data-silence onClick={() => (wantsSilence.value = one.id)}>{T.act.silence}</button>
      {incident && <a class="btn link-blue" href={`#${incidentAt(incident.id)}`}>{T.service.incident}</a>}
      <span class="about">{[one.critical && T.critical, one.service_type, nextCheck(one)].filter(Boolean).join(", ")}</span>
    </div>
  );
}

function Available({ uptime }: { uptime: Uptimes | null }) {
  if (!uptime) return null;
  const each = RANGES.map((range) => uptime.ranges[range]);
  return (
    <section class="sec">
      <table class="plain av">
        <thead><tr><th scope="col"><h2>{T.service.available}</h2></th>{RANGES.map((range) => <th key={range} scope="col" class="num">{range.replace(/([hd])/, " $1")}</th>)}</tr></thead>
        <tbody>
          <tr><td class="soft">{T.service.seen}</td>{each.map((one, index) => <td key={index} class="num">{percent(one?.uptime_percent)}</td>)}</tr>
          <tr><td class="soft">{T.service.notSeen}</td>{each.map((one, index) => <td key={index} class="num soft">{one ? span(one.unknown_seconds) : T.none}</td>)}</tr>
        </tbody>
      </table>
    </section>
  );
}

function Checks({ health, one }: { health: Health; one: Service }) {
  return (
    <Section title={T.service.checks} aside={<span class="soft small">{T.service.every(span(one.interval_seconds))}</span>}>
      <table class="plain checks">
        <tbody>
          {health.checks.map((check) => (
            <tr key={check.name}>
              <td><Mark status={check.status} isNamed /></td>
              <th scope="row">{check.name === "health_endpoint" ? T.service.endpoint : check.name}</th>
              <td class={check.status === "Healthy" ? "soft" : `st-${check.status}`}>{check.message ?? ""}</td>
              <td class="num soft">{check.response_time_ms === null ? "" : `${figure(check.response_time_ms)} ${T.units.ms}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function ContainerFacts({ health, one }: { health: Health | null; one: Service }) {
  const { container, metrics } = health ?? {};
  if (!one.docker_container) return <Section title={T.service.container}><p class="soft small">{T.service.noContainer}</p></Section>;
  if (!container || !metrics) return health ? <Section title={T.service.container}><p class="soft small">{T.service.dockerSilent}</p></Section> : null;
  const isRunning = container.state === "running";
  return (
    <Section title={T.service.container} aside={<span class={isRunning ? "soft small" : "st-Unhealthy small"}>{container.state}</span>}>
      <Facts>
        <Fact name={T.service.image}><span title={container.image_id}>{container.image}</span></Fact>
        <Fact name={T.service.started}>{container.started_at && <>{T.service.ago(age(container.started_at, now.value))}</>}</Fact>
        <Fact name={T.service.exit}>{isRunning || container.exit_code === null ? null : `${container.exit_code}${container.oom_killed ? T.service.oom : ""}`}</Fact>
        <Fact name={T.service.restarts}>{container.restart_count}</Fact>
        <Fact name={T.service.crashes}>{container.crashes ? `${container.crashes}${container.is_crash_looping ? `, ${T.service.looping}` : ""}` : null}</Fact>
        <Fact name={T.service.health}>{container.health}</Fact>
        <Fact name={T.service.cpu}>{metrics.cpu_usage_percent === null ? null : `${figure(metrics.cpu_usage_percent)} ${T.chart.cpuUnit}`}</Fact>
        <Fact name={T.service.memory}>{metrics.memory_usage_mb === null ? null : bytes(metrics.memory_usage_mb * 1024 * 1024)}</Fact>
        <Fact name={T.service.network}>{metrics.network_in_bytes === null ? null : `${bytes(metrics.network_in_bytes)}, ${bytes(metrics.network_out_bytes)}`}</Fact>
        <Fact name={T.service.block}>{metrics.block_read_bytes === null ? null : `${bytes(metrics.block_read_bytes)}, ${bytes(metrics.block_write_bytes)}`}</Fact>
      </Facts>
    </Section>
  );
}

const lasted = (one: Incident): string => span(((one.ended_at ? Date.parse(one.ended_at) : now.value) - Date.parse(one.started_at)) / 1000);

function Incidents({ id, status }: { id: string; status: string }) {
  const { value, error } = useAsked<{ incidents: Incident[] }>(`/api/incidents?service_id=${encodeURIComponent(id)}&limit=6`, status);
  return (
    <Section title={T.service.incidents} aside={<a href="#incidents">{T.service.allIncidents}</a>}>
      <Failed what={T.service.incidents} error={error} />
      {value && !value.incidents.length && <p class="soft small">{T.service.noIncidents}</p>}
      <table class="plain">
        <tbody>
          {value?.incidents.map((one) => (
            <tr key={one.id}>
              <td class="nowrap"><a href={`#${incidentAt(one.id)}`}><time title={exact(one.started_at)}>{one.started_at.slice(5, 10)} {minute(one.started_at)}</time></a></td>
              <td>{one.cause || T.incidents.unknownCause}</td>
              <td class="num">{one.ended_at ? lasted(one) : T.service.open(lasted(one))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Objective({ id }: { id: string }) {
  const line = useAsked<SloLine[]>("/api/slo", Math.floor(now.value / 60_000)).value?.find((each) => each.service_id === id);
  if (!line) return null;
  return <Fact name={T.service.slo}>{percent(line.objective_percent)}, {T.service.budget(percent(line.budget_left_percent), span(line.period_days * 86_400))}{line.burning && <b class="st-Unhealthy">, {T.service.burning(line.burning)}</b>}</Fact>;
}

function More({ one, health }: { one: Service; health: Health | null }) {
  const needs = one.depends_on.map((id) => <a key={id} href={`#${serviceAt(id)}`}>{services.value.get(id)?.name ?? id}</a>);
  return (
    <Section title={T.service.facts}>
      <Facts>
        <Fact name={T.service.needs}>{needs.length > 0 && <span class="links">{needs}</span>}</Fact>
        <Fact name={T.service.address}>{one.group}</Fact>
        <Objective id={one.id} />
        {Object.entries(one.labels).map(([name, value]) => <Fact key={name} name={name}>{value}</Fact>)}
        <Fact name={T.service.errors}>{health?.metrics.error_rate === null || health === null ? null : figure(health.metrics.error_rate)}</Fact>
        <Fact name={T.service.certificate}>{health?.certificate ? exact(health.certificate.expires).slice(0, 10) : ""}</Fact>
      </Facts>
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
  if (!one.docker_container) return null;
  const isOpen = query.value["logs"] === "1";
  if (!isOpen) return <Section title={T.logs.title} aside={<button class="btn s" data-logs onClick={() => setQuery("logs", "1")}>{T.logs.show}</button>}><span /></Section>;
  return <Terminal title={T.logs.title} path={`/api/services/${encodeURIComponent(one.id)}/logs?follow=true&tail=1000&format=ndjson`} read={readLine} name={one.name} />;
}

export function ServicePage({ id }: { id: string }) {
  const one = services.value.get(id);
  const path = `/api/services/${encodeURIComponent(id)}`;
  const health = useAsked<Health>(`${path}/health`, one?.last_check);
  const uptime = useAsked<Uptimes>(`${path}/uptime`, `${one?.status ?? ""}${Math.floor(now.value / 60_000)}`).value;
  if (!one) return <Say head={services.value.size ? T.service.unknown(id) : T.sentence.connecting} rest={<a href="#">{T.service.all}</a>} />;
  const [head, rest] = story(one);
  const state = health.value?.container?.state;
  return (
    <>
      <Say head={head} rest={rest} crumb={<><a href="#">{T.nav.overview}</a> / {one.group ?? one.service_type} {one.critical && <Flag />}</>} mark={<Mark status={one.status} size="l" isNamed />} />
      {asking.value?.id === id ? <Asking one={one} /> : <Actions one={one} isRunning={state === undefined || state === "running" || state === "restarting"} />}
      <StoryLine id={id} isWide />
      <div class="cols">
        <div>
          <Courses one={one} tick={Math.floor(now.value / CHART_MS)} />
          <Logs one={one} />
          <Lately of={id} count={8} />
        </div>
        <aside>
          <Available uptime={uptime} />
          <Failed what={T.service.checks} error={health.error} again={health.again} />
          {health.value && health.value.checks.length > 0 && <Checks health={health.value} one={one} />}
          <ContainerFacts health={health.value} one={one} />
          <Incidents id={id} status={one.status} />
          <More one={one} health={health.value} />
        </aside>
      </div>
    </>
  );
}

