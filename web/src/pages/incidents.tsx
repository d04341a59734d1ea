// Incidents: all of them, and one with its timeline and evidence.
import { useState } from "preact/hooks";
import { ask } from "../api";
import { now, services } from "../feed";
import type { Incident } from "../model";
import { query, serviceAt, setQuery } from "../router";
import { useAsked } from "../ui/asked";
import { Age, Mark, Say, Section } from "../ui/pieces";
import { clock, exact, span } from "../words";

interface Page {
  incidents: Incident[];
  next: number | null;
}

const nameOf = (id: string): string => services.value.get(id)?.name ?? id;
const lasted = (one: Incident): string =>
  span(((one.ended_at ? Date.parse(one.ended_at) : now.value) - Date.parse(one.started_at)) / 1000);

export function IncidentList({ incidents }: { incidents: Incident[] }) {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col"><span class="unseen">Status</span></th>
          <th scope="col">Service</th>
          <th scope="col">Cause</th>
          <th scope="col" class="number">Began, UTC</th>
          <th scope="col" class="number">Lasted</th>
        </tr>
      </thead>
      <tbody>
        {incidents.map((one) => (
          <tr key={one.id}>
            <td><Mark status={one.ended_at ? "Healthy" : "Unhealthy"} isNamed /></td>
            <td class="name"><a href={`#incident/${encodeURIComponent(one.id)}`}>{nameOf(one.service_id)}</a></td>
            <td class="why">{one.cause || "Not known"}{one.acknowledged_by && <span class="soft"> seen by {one.acknowledged_by}</span>}</td>
            <td class="number" title={exact(one.started_at)}>{one.started_at.slice(0, 10)} {clock(one.started_at)}</td>
            <td class="number">{one.ended_at ? lasted(one) : `${lasted(one)}, open`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function IncidentsPage() {
  const state = query.value["state"] ?? "";
  const { value, error } = useAsked<Page>(`/api/incidents?limit=100${state ? `&state=${encodeURIComponent(state)}` : ""}`, Math.floor(now.value / 15000));
  const open = value?.incidents.filter((one) => !one.ended_at).length ?? 0;
  const head = !value ? "Looking up incidents" : open ? `${open} ${open === 1 ? "incident is" : "incidents are"} open.` : "No incident is open.";
  return (
    <>
      <Say head={head} rest={value && `${value.incidents.length} are kept${value.next ? " and more" : ""}.`}>
        <button aria-pressed={state === "open"} onClick={() => setQuery("state", state ? "" : "open")}>Open only</button>
      </Say>
      {error && <p class="why-not">{error}</p>}
      {value && (value.incidents.length ? <IncidentList incidents={value.incidents} /> : <p class="soft">Nothing has gone wrong since the history began.</p>)}
    </>
  );
}

const isPlain = (data: unknown): data is string | number | boolean => ["string", "number", "boolean"].includes(typeof data);

const isList = (data: unknown): data is unknown[] => Array.isArray(data);

const titled = (kind: string): string => `${kind[0]?.toUpperCase() ?? ""}${kind.slice(1).replaceAll("_", " ")}`;

/** Evidence is of many kinds: tables of facts, lines, texts. */
export function Data({ data }: { data: unknown }) {
  if (data === null || data === undefined) return <span class="soft">–</span>;
  if (typeof data === "number") return <span>{Number(data.toPrecision(6))}</span>;
  if (isPlain(data)) return String(data).includes("\n") ? <pre>{String(data)}</pre> : <span>{String(data)}</span>;
  if (isList(data)) return data.every(isPlain) ? <pre>{data.join("\n")}</pre> : <ol>{data.map((each, index) => <li key={index}><Data data={each} /></li>)}</ol>;
  return (
    <dl class="facts">
      {Object.entries(data as Record<string, unknown>)
        .filter(([, value]) => value !== null && value !== "" && value !== false && !(isList(value) && value.length === 0))
        .map(([name, value]) => <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd><Data data={value} /></dd></div>)}
    </dl>
  );
}

export function IncidentPage({ id }: { id: string }) {
  const path = `/api/incidents/${encodeURIComponent(id)}`;
  const { value: one, error, again } = useAsked<Incident>(path, Math.floor(now.value / 10000));
  const [text, setText] = useState("");
  const [failure, setFailure] = useState("");
  const send = (where: string, body: unknown) => {
    ask(`${path}/${where}`, "POST", body)
      .then(() => (setText(""), setFailure(""), again()))
      .catch((reason: unknown) => setFailure((reason as Error).message));
  };
  if (!one) return <Say head={error || "Looking up the incident"} rest={<a href="#incidents">All incidents</a>} />;
  const head = one.ended_at ? `${nameOf(one.service_id)} was down for ${lasted(one)}.` : `${nameOf(one.service_id)} has been down for ${lasted(one)}.`;
  return (
    <>
      <p class="soft"><a href="#incidents">All incidents</a></p>
      <Say head={head} rest={`${one.cause || "Cause not known"}. Began ${exact(one.started_at)}.${one.acknowledged_by ? ` ${one.acknowledged_by} looks after it.` : ""}`}>
        {!one.acknowledged_by && !one.ended_at && <button class="filled" onClick={() => send("acknowledge", {})}>I look after it</button>}
        <a class="button" href={`#${serviceAt(one.service_id)}`}>{nameOf(one.service_id)}</a>
        <a class="button" href={`${path}/postmortem`} download={`${id}.md`}>Post-mortem</a>
      </Say>
      <Section title="What happened" aside="newest last">
        <ol class="timeline">
          {one.timeline.map((entry, index) => (
            <li key={index}>
              <time class="soft" dateTime={entry.at} title={exact(entry.at)}>{clock(entry.at)}</time>
              <span>{entry.kind}</span>
              <span>{entry.message}</span>
            </li>
          ))}
        </ol>
      </Section>
      <Section title="Notes">
        <form class="form" onSubmit={(event) => (event.preventDefault(), send("notes", { text }))}>
          <label>What you see or try; it joins the timeline<textarea required value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
          <div class="row"><button>Add note</button></div>
          {failure && <p class="why-not">{failure}</p>}
        </form>
      </Section>
      {one.evidence.map((found, index) => (
        <Section key={index} title={titled(found.kind)} aside={<>saved <Age at={found.at} /> ago, at {clock(found.at)}</>}>
          <Data data={found.data} />
        </Section>
      ))}
    </>
  );
}
