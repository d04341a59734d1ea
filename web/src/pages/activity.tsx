// What happened, live, and who did what.
import { useState } from "preact/hooks";
import { events, now } from "../feed";
import { useAsked } from "../ui/asked";
import { Age, Say, Section } from "../ui/pieces";
import { Lately } from "./lately";

interface Attempt {
  at: string;
  who: string;
  address: string;
  action: string;
  target: string;
  outcome: number;
}

export function ActivityPage() {
  const { value, error } = useAsked<Attempt[]>("/api/audit", Math.floor(now.value / 5000));
  const [wanted, want] = useState("");
  const shown = (value ?? []).filter((one) => `${one.who} ${one.action} ${one.target} ${one.address}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <>
      <Say head={`${events.value.length} events are on this page, ${value?.length ?? 0} attempts to act are on record.`} rest="The newest first." />
      <Lately count={40} />
      <Section title="Who did what" aside={<input type="search" placeholder="Search" aria-label="Search who did what" value={wanted} onInput={(event) => want(event.currentTarget.value)} />}>
        {error && <p class="why-not">{error}</p>}
        <table class="plain">
          <tbody>
            {shown.slice(0, 200).map((one, index) => (
              <tr key={index}>
                <td class="number"><Age at={one.at} /></td>
                <td class="name">{one.who}</td>
                <td>{one.action}</td>
                <td class="why">{one.target}</td>
                <td>{one.address}</td>
                <td class="number">{one.outcome < 400 ? "done" : `refused, ${one.outcome}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {value && !value.length && <p class="soft">Nobody has tried to change anything yet.</p>}
      </Section>
    </>
  );
}
