// Every piece of the design on one page, to be looked at.
import type { Service, Status } from "../model";
import { Mark, Say, Section } from "../ui/pieces";

const STATUSES: Status[] = ["Healthy", "Degraded", "Unhealthy", "Unknown"];

export function Pieces({ sample }: { sample: Service | undefined }) {
  return (
    <>
      <Say head="Every piece of the design." rest="What is not here does not exist." />
      <Section title="Status">
        <div class="row">{STATUSES.map((status) => <span class="row" key={status}><Mark status={status} /> {status}</span>)}</div>
      </Section>
      <Section title="Buttons">
        <div class="row"><button>Plain</button><button class="filled">The one action</button><button disabled>Off</button><button class="quiet">Quiet</button><button class="small">Small</button></div>
      </Section>
      <Section title="Fields"><div class="form"><label>Name<input value={sample?.name ?? "fks_api"} /></label><label>For<select><option>2 h</option></select></label></div></Section>
      <Section title="Text"><p>Body text. <span class="soft">Quieter text.</span> <a href="#ui">A link.</a> <code>code</code></p><pre>{"$ fks_master check fks_api\nHealthy in 3.1 ms"}</pre></Section>
    </>
  );
}
