// What happened last, for all services or for one.
import { events } from "../feed";
import { Age, Section } from "../ui/pieces";

const SHOWN = 12;

export function Lately({ of, count = SHOWN }: { of?: string; count?: number }) {
  const told = events.value.filter((event) => event.event_type !== "StatusChanged" && (of === undefined || event.service_id === of));
  if (!told.length) return null;
  return (
    <Section title="Lately">
      <ul class="lately">
        {told.slice(0, count).map((event) => (
          <li key={event.id}>
            <span class="soft"><Age at={event.timestamp} /></span>
            <span>{event.event_type}</span>
            <span>{event.message}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
