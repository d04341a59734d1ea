// Incidents: all of them, and one with its timeline and evidence.
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey } from "../dialogs";
import { now, services } from "../feed";
import type { DeliveryLine, Incident } from "../model";
import { go, incidentAt, query, serviceAt, setQuery } from "../router";
import { T } from "../text";
import { ActButton, Asking, StoryLine } from "../ui/acting";
import { asking } from "../act";
import { useAsked } from "../ui/asked";
import { save } from "../ui/save";
import { Flag, Mark } from "../ui/marks";
import { Choice, Failed, Say, Section } from "../ui/pieces";
import { causeOf, clock, exact, minute, span } from "../words";
import { CourseOf } from "./courses";
import { Evidence } from "./evidence";

interface Page {
  incidents: Incident[];
  next: number | null;
}

const nameOf = (id: string): string => services.value.get(id)?.name ?? id;
const lasted = (one: Incident): string => span(((one.ended_at ? Date.parse(one.ended_at) : now.value) - Date.parse(one.started_at)) / 1000);

function List({ incidents }: { incidents: Incident[] }) {
  return (
    <table class="plain incidents">
      <thead>
        <tr>
          <th scope="col"><span class="unseen">{T.incidents.status}</span></th><th scope="col">{T.incidents.service}</th><th scope="col">{T.incidents.cause}</th>
          <th scope="col" class="num">{T.incidents.began}</th><th scope="col" class="num">{T.incidents.lasted}</th>
        </tr>
      </thead>
      <tbody>
        {incidents.map((one) => (
          <tr key={one.id} data-id={one.id} class={one.ended_at ? "" : "Unhealthy"} tabIndex={0} onClick={() => go(incidentAt(one.id))} onKeyDown={(event) => event.key === "Enter" && go(incidentAt(one.id))}>
            <td><Mark status={one.ended_at ? "Healthy" : "Unhealthy"} /><span class="unseen">{one.ended_at ? T.incidents.ended : T.incidents.openNow}</span></td>
            <td class="name"><a href={`#${incidentAt(one.id)}`} tabIndex={-1}>{nameOf(one.service_id)}</a>{services.value.get(one.service_id)?.critical && <Flag />}</td>
            <td class="why">{one.cause || T.incidents.unknownCause}{one.acknowledged_by && <small>{T.incidents.seenBy(one.acknowledged_by)}</small>}</td>
            <td class="num" title={exact(one.started_at)}>{one.started_at.slice(0, 10)} {minute(one.started_at)}</td>
            <td class="num">{one.ended_at ? lasted(one) : T.service.open(lasted(one))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function IncidentsPage() {
  const state = query.value["state"] === "open" ? "open" : "";
  const { value, error, again } = useAsked<Page>(`/api/incidents?limit=100${state ? "&state=open" : ""}`, Math.floor(now.value / 10_000));
  const open = value?.incidents.filter((one) => !one.ended_at).length ?? 0;
  const head = !value ? T.incidents.looking : open ? T.incidents.open(open) : T.incidents.none;
  return (
    <>
      <Say head={head} rest={value && T.incidents.kept(value.incidents.length, value.next !== null)}>
        <Choice label={T.incidents.state} isSmall={false} value={state || "all"} values={[["all", T.incidents.all], ["open", T.incidents.onlyOpen]]} onChoose={(name) => setQuery("state", name === "open" ? name : "")} />
      </Say>
      <Failed what={T.nav.incidents} error={error} again={again} />
      {value && (value.incidents.length ? <List incidents={value.incidents} /> : <p class="none"><Mark status="Healthy" /> {state ? T.incidents.nothingOpen : T.incidents.nothing}</p>)}
    </>
  );
}

const SIGNS: Record<string, string> = { down: "Unhealthy", up: "Healthy", note: "note", action: "me", acknowledged: "me" };

function signOf(kind: string, message: string): string {
  if (SIGNS[kind]) return SIGNS[kind];
  if (/to Unhealthy|down/i.test(message) && kind !== "result") return "Unhealthy";
  if (/to Healthy|is up/i.test(message)) return "Healthy";
  if (/to Degraded|slow/i.test(message)) return "Degraded";
  return /action|restart/i.test(kind) ? "me" : "";
}

function Timeline({ one }: { one: Incident }) {
  return (
    <ol class="tl">
      {one.timeline.map((entry, index) => {
        const sign = signOf(entry.kind, entry.message);
        return (
          <li key={index}>
            <time dateTime={entry.at} title={exact(entry.at)}>{clock(entry.at)}</time>
            {["Unhealthy", "Healthy", "Degraded"].includes(sign) ? <Mark status={sign as "Unhealthy"} /> : <i class={`dot ${sign}`} />}
            <span>{entry.message}<small>{T.incidents.kinds[entry.kind] ?? entry.kind.replaceAll("_", " ")}</small></span>
          </li>
        );
      })}
    </ol>
  );
}

function Notes({ path, again }: { path: string; again: () => void }) {
  const [text, setText] = useState("");
  const [failure, setFailure] = useState("");
  const send = () => {
    ask(`${path}/notes`, "POST", { text })
      .then(() => (setText(""), setFailure(""), again()))
      .catch((error: unknown) => askForKey(error, send) || setFailure(wordsOf(error)));
  };
  return (
    <Section title={T.incidents.notes}>
      <form onSubmit={(event) => (event.preventDefault(), send())}>
        <label><span class="unseen">{T.incidents.note}</span><textarea placeholder={T.incidents.note} required value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        <button class="btn">{T.incidents.add}</button>
        {failure && <p class="box u" role="alert">{failure}</p>}
      </form>
    </Section>
  );
}

function Told({ one }: { one: Incident }) {
  const all = useAsked<DeliveryLine[]>("/api/deliveries?limit=100", Math.floor(now.value / 15_000)).value ?? [];
  const end = one.ended_at ? Date.parse(one.ended_at) + 300_000 : Infinity;
  const mine = all.filter((each) => each.service_id === one.service_id && Date.parse(each.created) >= Date.parse(one.started_at) && Date.parse(each.created) <= end).reverse();
  return (
    <Section title={T.incidents.told}>
      {mine.length ? (
        <table class="plain">
          <thead><tr><th scope="col">{T.incidents.receiver}</th><th scope="col">{T.incidents.about}</th><th scope="col">{T.incidents.result}</th><th scope="col" class="num">{T.incidents.after}</th></tr></thead>
          <tbody>
            {mine.map((each) => (
              <tr key={each.id}><td>{each.receiver}</td><td>{each.event_type}</td><td class={each.state === "refused" ? "st-Unhealthy" : ""}>{T.alerts.states[each.state] ?? each.state}{each.tries > 1 && T.alerts.tries(each.tries)}</td><td class="num">{span((Date.parse(each.finished ?? each.created) - Date.parse(one.started_at)) / 1000)}</td></tr>
            ))}
          </tbody>
        </table>
      ) : <p class="soft small">{T.incidents.nobodyTold}</p>}
    </Section>
  );
}

export function IncidentPage({ id }: { id: string }) {
  const path = `/api/incidents/${encodeURIComponent(id)}`;
  const { value: one, error, again } = useAsked<Incident>(path, Math.floor(now.value / 10_000));
  const [failure, setFailure] = useState("");
  if (!one) return <Say head={error || T.incidents.lookup} rest={<a href="#incidents">{T.incidents.allLink}</a>} />;
  const service = services.value.get(one.service_id);
  const take = () => void ask(`${path}/acknowledge`, "POST", {}).then(again).catch((reason: unknown) => askForKey(reason, take) || setFailure(wordsOf(reason)));
  const report = () => void ask<string>(`${path}/postmortem`).then((text) => save(`${id}.md`, text)).catch((reason: unknown) => askForKey(reason, report) || setFailure(wordsOf(reason)));
  const head = (one.ended_at ? T.incidents.was : T.incidents.is)(nameOf(one.service_id), lasted(one), one.cause || T.incidents.unknownCause);
  const cause = service && !one.ended_at ? causeOf(service, services.value) : undefined;
  const isFirst = service?.docker_container && !cause;
  const rest = [cause && T.reason.needs(cause.name), T.incidents.beganAt(exact(one.started_at)), one.ended_at && T.incidents.endedAt(exact(one.ended_at)), one.acknowledged_by && T.incidents.seenBy(one.acknowledged_by)].filter(Boolean).join(" ");
  return (
    <>
      <Say head={head} rest={rest} crumb={<a href="#incidents">{T.incidents.crumb}</a>} mark={<Mark status={one.ended_at ? "Healthy" : "Unhealthy"} size="l" isNamed />}>
        {service?.docker_container && !one.ended_at && <ActButton one={service} action="restart" kind={isFirst ? "main" : ""} isNamed />}
        {!one.acknowledged_by && !one.ended_at && <button class={isFirst ? "btn" : "btn main"} onClick={take}>{T.incidents.mine}</button>}
        <a class="btn link-blue" href={`#${serviceAt(one.service_id)}`}>{nameOf(one.service_id)}</a>
        <button class="btn" onClick={report}>{T.incidents.report}</button>
      </Say>
      {failure && <p class="box u" role="alert">{failure}</p>}
      {service && asking.value?.id === service.id && <Asking one={service} />}
      {service && <StoryLine id={service.id} isWide />}
      <div class="cols inc">
        <div>
          <Section title={T.incidents.happened} aside={<span class="soft small">{T.incidents.newestLast}</span>}><Timeline one={one} /></Section>
          <Notes path={path} again={again} />
        </div>
        <div>
          <Section title={T.incidents.answers}><CourseOf incident={one} /></Section>
          {one.evidence.map((found, index) => <Evidence key={index} found={found} />)}
          <Told one={one} />
        </div>
      </div>
    </>
  );
}
