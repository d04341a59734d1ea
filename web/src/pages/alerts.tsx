// Alerts: what fires, who was told, what is silenced, and whether messages arrive.
import { useState } from "preact/hooks";
import { ask } from "../api";
import { now } from "../feed";
import type { AlertLine, DeliveryLine, ReceiverLine, Silence, WindowLine } from "../model";
import { serviceAt } from "../router";
import { useAsked } from "../ui/asked";
import { Age, Mark, Say, Section } from "../ui/pieces";
import { clock, exact, span } from "../words";
import { SilenceForm } from "./silence";

function sentence(alerts: AlertLine[], deliveries: DeliveryLine[], hasReceivers: boolean): [string, string] {
  const count = (state: string) => alerts.filter((one) => one.state === state).length;
  const parts = [[count("told"), "told"], [count("acknowledged"), "in hand"], [count("muted"), "muted"], [count("waiting"), "being decided"], [count("firing"), "told to nobody"]] as const;
  const said = parts.filter(([number]) => number).map(([number, word]) => `${number} ${word}`).join(", ");
  const head = alerts.length ? `${alerts.length} ${alerts.length === 1 ? "alert is" : "alerts are"} open: ${said}.` : "No alert is open.";
  if (alerts.length && !hasReceivers) return [`${alerts.length} ${alerts.length === 1 ? "alert is" : "alerts are"} open, and nobody is told.`, "No receiver is configured: set webhook_url under [alerts] in the config."];
  const refused = deliveries.filter((one) => one.state === "refused").length;
  const pending = deliveries.filter((one) => one.state === "pending").length;
  const trouble = [refused && `${refused} of the last messages were refused`, pending && `${pending} wait for their receiver`].filter(Boolean).join(", ");
  return [head, trouble ? `${trouble}.` : deliveries.length ? "Everything that had to be delivered was delivered." : ""];
}

function Firing({ alerts, again }: { alerts: AlertLine[]; again: () => void }) {
  if (!alerts.length) return null;
  return (
    <Section title="Open">
      <table>
        <tbody>
          {alerts.map((one) => (
            <tr key={one.id} class={one.state === "muted" ? "" : one.severity === "critical" ? "Unhealthy" : "Degraded"}>
              <td><Mark status={one.severity === "critical" ? "Unhealthy" : "Degraded"} isNamed /></td>
              <td class="name">{one.event_type}</td>
              <td>{one.service_id ? <a href={`#${serviceAt(one.service_id)}`}>{one.service_name ?? one.service_id}</a> : "the monitor"}</td>
              <td class="why">{one.message}<div class="soft">{one.muted ? `nobody is told: ${one.muted}` : one.acknowledged_by ? `${one.acknowledged_by} has it in hand` : one.told ? `told at ${clock(one.told_at ?? one.since)}` : "not told yet"}</div></td>
              <td class="number"><Age at={one.since} /></td>
              <td class="acts">{!one.acknowledged_by && <button class="small" onClick={() => void ask(`/api/alerts/${encodeURIComponent(one.id)}/acknowledge`, "POST", {}).then(again)}>I have it</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Silences({ silences, again }: { silences: Silence[]; again: () => void }) {
  return (
    <Section title="Silences">
      {!silences.length && <p class="soft">None.</p>}
      <table class="plain">
        <tbody>
          {silences.map((one) => (
            <tr key={one.id}>
              <td class="name">{[...Object.entries(one.matchers).map(([name, value]) => `${name} ${value}`), ...one.where].join(", ")}</td>
              <td class="why">{one.comment}</td>
              <td>{one.author}</td>
              <td class="number" title={exact(one.ends)}>ends in {span((Date.parse(one.ends) - now.value) / 1000)}</td>
              <td class="acts"><button class="small" onClick={() => void ask(`/api/silences/${one.id}`, "DELETE").then(again)}>End</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Receiver({ one }: { one: ReceiverLine }) {
  const [said, say] = useState("");
  const test = () => {
    say("sending");
    ask<{ success: boolean; answer: string }>(`/api/receivers/${encodeURIComponent(one.name)}/test`, "POST")
      .then((result) => say(result.success ? `arrived: ${result.answer}` : `failed: ${result.answer}`))
      .catch((error: unknown) => say((error as Error).message));
  };
  return (
    <tr>
      <td><Mark status={one.is_failing ? "Unhealthy" : "Healthy"} isNamed /></td>
      <td class="name">{one.name}</td>
      <td>{one.kind}</td>
      <td class="why">{said || `${one.sent} sent${one.refused ? `, ${one.refused} refused` : ""}${one.waiting ? `, ${one.waiting} waiting` : ""}`}</td>
      <td class="acts"><button class="small" onClick={test}>Test</button></td>
    </tr>
  );
}

export function AlertsPage() {
  const tick = Math.floor(now.value / 5000);
  const alerts = useAsked<AlertLine[]>("/api/alerts", tick);
  const silences = useAsked<Silence[]>("/api/silences", tick);
  const receivers = useAsked<ReceiverLine[]>("/api/receivers", tick).value ?? [];
  const deliveries = useAsked<DeliveryLine[]>("/api/deliveries?limit=50", tick).value ?? [];
  const windows = useAsked<WindowLine[]>("/api/maintenance", tick).value ?? [];
  const [isSilencing, silence] = useState(false);
  const again = () => (alerts.again(), silences.again());
  if (!alerts.value) return <Say head={alerts.error || "Looking up alerts"} />;
  const [head, rest] = sentence(alerts.value, deliveries, receivers.length > 0);
  return (
    <>
      <Say head={head} rest={rest}><button aria-expanded={isSilencing} onClick={() => silence(!isSilencing)}>New silence</button></Say>
      {isSilencing && <SilenceForm onDone={() => (silence(false), again())} />}
      <Firing alerts={alerts.value} again={again} />
      <Silences silences={silences.value ?? []} again={again} />
      {windows.length > 0 && (
        <Section title="Maintenance">
          <table class="plain">
            <tbody>
              {windows.map(({ window, is_active }) => (
                <tr key={window.name}>
                  <td class="name">{window.name}</td>
                  <td>{window.services.join(", ") || "all services"}</td>
                  <td>{window.begins ? `${exact(window.begins)} to ${exact(window.ends)}` : `${window.from_time ?? ""} to ${window.to_time ?? ""}, ${window.zone}`}</td>
                  <td class="number">{is_active ? "lasts now" : ""}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
      <Section title="Receivers">
        {receivers.length ? <table class="plain"><tbody>{receivers.map((one) => <Receiver key={one.name} one={one} />)}</tbody></table> : <p class="soft">Nobody is told. Set webhook_url under [alerts] in the config.</p>}
      </Section>
      {deliveries.length > 0 && (
        <Section title="Deliveries">
          <table class="plain">
            <tbody>
              {deliveries.map((one) => (
                <tr key={one.id}>
                  <td class="number"><Age at={one.created} /></td>
                  <td class="name">{one.receiver}</td>
                  <td>{one.event_type}</td>
                  <td class="why">{one.message}</td>
                  <td>{one.state}{one.tries > 1 ? `, try ${one.tries}` : ""}{one.state !== "sent" && one.answer ? `: ${one.answer}` : ""}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
    </>
  );
}
