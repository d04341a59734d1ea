// What happened, live, and who did what.
import { useState } from "preact/hooks";
import { events, now, services } from "../feed";
import type { Attempt, Event } from "../model";
import { decoded, serviceAt } from "../router";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { Age } from "../ui/marks";
import { Failed, Say, Search, Section } from "../ui/pieces";
import { Lines } from "./lately";

const MOST = 200;
const PAGE = 50;

const saysOf = (event: Event): string => `${event.event_type} ${services.value.get(event.service_id ?? "")?.name ?? ""} ${event.service_id ?? ""} ${event.message}`.toLowerCase();

function Happened() {
  const [wanted, want] = useState("");
  const [count, more] = useState(PAGE);
  const shown = events.value.filter((event) => saysOf(event).includes(wanted.toLowerCase()));
  return (
    <Section title={T.activity.events} aside={<Search label={T.activity.searchEvents} placeholder={T.activity.search} value={wanted} onInput={want} />}>
      <Lines told={shown.slice(0, count)} />
      {!shown.length && <p class="soft small">{wanted ? T.activity.noMatch(wanted) : T.activity.nothing}</p>}
      {shown.length > count && <button class="btn s" onClick={() => more(count + PAGE)}>{T.activity.older}</button>}
    </Section>
  );
}

const SERVICE = /^\/api\/services\/([^/]+)\/(\w+)$/;

/** What was tried: in words where it was done to a service, else as it was asked for. */
function Did({ one }: { one: Attempt }) {
  const [, id, verb] = SERVICE.exec(one.target) ?? [];
  if (!id || !verb) return <>{one.action.split(" ")[0]} {one.target}</>;
  const plain = decoded(id);
  return <>{verb} <a href={`#${serviceAt(plain)}`}>{services.value.get(plain)?.name ?? plain}</a></>;
}

function Who() {
  const { value, error, again } = useAsked<Attempt[]>("/api/audit", Math.floor(now.value / 5000));
  const [wanted, want] = useState("");
  const shown = (value ?? []).filter((one) => `${one.who} ${one.action} ${one.target} ${one.address}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Section title={T.activity.who} aside={<Search label={T.activity.searchWho} placeholder={T.activity.search} value={wanted} onInput={want} />}>
      <Failed what={T.activity.who} error={error} again={again} />
      {shown.length > 0 && (
        <div class="scrolled" tabIndex={0} role="group" aria-label={T.activity.who}>
          <table class="plain">
            <thead><tr><th scope="col">{T.activity.when}</th><th scope="col">{T.activity.by}</th><th scope="col">{T.activity.action}</th><th scope="col">{T.activity.from}</th><th scope="col" class="num">{T.activity.result}</th></tr></thead>
            <tbody>
              {shown.slice(0, MOST).map((one, index) => (
                <tr key={index}><td class="soft nowrap"><Age at={one.at} /></td><td class="name nowrap">{one.who}</td><td class="why"><Did one={one} /></td><td class="soft nowrap">{one.address}</td><td class={one.outcome < 400 ? "num" : "num st-Unhealthy"}>{one.outcome < 400 ? T.activity.done : T.activity.refused(one.outcome)}{one.count > 1 && T.activity.times(one.count)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {value && !shown.length && <p class="soft small">{wanted ? T.activity.noMatch(wanted) : T.activity.nobody}</p>}
    </Section>
  );
}

export function ActivityPage() {
  return (
    <>
      <Say head={T.activity.head} rest={T.activity.rest} />
      <div class="cols half"><div><Happened /></div><div><Who /></div></div>
    </>
  );
}
