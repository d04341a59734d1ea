// What happened last, for all services or for one.
import { events, services } from "../feed";
import type { Event } from "../model";
import { serviceAt } from "../router";
import { T } from "../text";
import { Age } from "../ui/marks";
import { Section } from "../ui/pieces";

export function Lines({ told }: { told: readonly Event[] }) {
  return (
    <ul class="recent">
      {told.map((event) => (
        <li key={event.id}>
          <Age at={event.timestamp} />
          <span class="cut">{event.service_id ? <a href={`#${serviceAt(event.service_id)}`}>{services.value.get(event.service_id)?.name ?? event.service_id}</a> : <About event={event} />}</span>
          <span>{event.message}</span>
        </li>
      ))}
    </ul>
  );
}

function About({ event }: { event: Event }) {
  const job = event.data["job_id"];
  return typeof job === "string" ? <a href={`#jobs/${encodeURIComponent(job)}`}>{event.event_type}</a> : <>{event.event_type}</>;
}

export function Lately({ of, count }: { of?: string; count: number }) {
  const told = events.value.filter((event) => event.event_type !== "StatusChanged" && (of === undefined || event.service_id === of));
  if (!told.length) return null;
  return <Section title={T.overview.lately} aside={<a href="#activity">{T.overview.allActivity}</a>}><Lines told={told.slice(0, count)} /></Section>;
}
