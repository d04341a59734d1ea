// Alerts: what fires, who was told, what is silenced, and whether messages arrive.
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey, isPlanning, wantsSilence } from "../dialogs";
import { now, said, services } from "../feed";
import type { AlertLine, DeliveryLine, HeartbeatLine, ReceiverLine, Silence, SloLine, WindowLine } from "../model";
import { serviceAt } from "../router";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { Age, Flag, Mark } from "../ui/marks";
import { Choice, Failed, Say, Section } from "../ui/pieces";
import { clock, exact, percent, span, took } from "../words";

function sentence(alerts: AlertLine[], deliveries: DeliveryLine[], hasReceivers: boolean): [string, string] {
  const count = (state: string) => alerts.filter((one) => one.state === state).length;
  if (alerts.length && !hasReceivers) return [T.alerts.nobody(alerts.length), T.alerts.noReceiver];
  const parts = [[count("told"), T.alerts.told], [count("acknowledged"), T.alerts.hand], [count("muted"), T.alerts.muted], [count("waiting"), T.alerts.waiting], [count("firing"), T.alerts.untold]] as const;
  const split = parts.filter(([number]) => number).map(([number, say]) => say(number)).join(", ");
  const refused = deliveries.filter((one) => one.state === "refused").length;
  const pending = deliveries.filter((one) => one.state === "pending").length;
  const trouble = [refused && T.alerts.refused(refused), pending && T.alerts.pending(pending)].filter(Boolean).join(", ");
  return [alerts.length ? `${T.alerts.firing(alerts.length)}: ${split}.` : T.alerts.none, trouble ? `${trouble}.` : deliveries.length ? T.alerts.delivered : hasReceivers ? "" : T.alerts.noReceiver];
}

/** A change, and what to do when it is done; one refused for want of a key asks for it. */
function change(path: string, method: string, then: () => void): void {
  ask(path, method, method === "POST" ? {} : undefined).then(then).catch((error: unknown) => {
    if (!askForKey(error, () => change(path, method, then))) said.value = wordsOf(error);
  });
}

function toldOf(one: AlertLine): string {
  if (one.muted) return T.alerts.mutedBy(one.muted);
  const told = one.told ? T.alerts.toldAt(one.receivers.join(", "), clock(one.told_at ?? one.since)) : "";
  if (one.acknowledged_by) return [told, T.alerts.hasIt(one.acknowledged_by)].filter(Boolean).join("; ");
  return told || (one.state === "firing" ? T.alerts.toNobody : T.alerts.notYet);
}

function Firing({ alerts, again }: { alerts: AlertLine[]; again: () => void }) {
  if (!alerts.length) return null;
  return (
    <Section title={T.alerts.firingTitle}>
      <table class="plain stacks">
        <thead><tr><th scope="col"><span class="unseen">{T.incidents.status}</span></th><th scope="col">{T.alerts.alert}</th><th scope="col">{T.alerts.service}</th><th scope="col">{T.alerts.what}</th><th scope="col">{T.alerts.toldTo}</th><th scope="col" class="num">{T.alerts.since}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
        <tbody>
          {alerts.map((one) => (
            <tr key={one.id}>
              <td><Mark status={one.severity === "critical" ? "Unhealthy" : "Degraded"} isNamed /></td>
              <td class="name">{one.event_type}</td>
              <td>{one.service_id ? <><a href={`#${serviceAt(one.service_id)}`}>{one.service_name ?? services.value.get(one.service_id)?.name ?? one.service_id}</a>{one.critical && <Flag />}</> : T.alerts.monitor}</td>
              <td class="why">{one.message}</td>
              <td class={one.muted ? "soft" : ""}>{toldOf(one)}</td>
              <td class="num"><Age at={one.since} /></td>
              <td class="acts">
                {!one.acknowledged_by && <button class="btn s" onClick={() => change(`/api/alerts/${encodeURIComponent(one.id)}/acknowledge`, "POST", again)}>{T.alerts.mine}</button>}
                {one.service_id && !one.muted && <button class="btn s" onClick={() => (wantsSilence.value = one.service_id ?? "")}>{T.alerts.silence}</button>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Silences({ silences, again }: { silences: Silence[]; again: () => void }) {
  return (
    <Section title={T.alerts.silences}>
      {!silences.length ? <p class="soft small">{T.alerts.noSilence}</p> : (
        <table class="plain">
          <thead><tr><th scope="col">{T.alerts.what}</th><th scope="col">{T.alerts.why}</th><th scope="col">{T.alerts.by}</th><th scope="col" class="num">{T.alerts.endsIn}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>
            {silences.map((one) => (
              <tr key={one.id}>
                <td class="name">{[...Object.entries(one.matchers).map(([name, value]) => (name === "service_id" ? value : `${name} ${value}`)), ...one.where].join(", ")}</td>
                <td class="why">{one.comment || T.none}</td><td>{one.author || T.none}</td>
                <td class="num" title={exact(one.ends)}>{span((Date.parse(one.ends) - now.value) / 1000)}</td>
                <td class="acts"><button class="btn s" data-end onClick={() => change(`/api/silences/${encodeURIComponent(one.id)}`, "DELETE", again)}>{T.alerts.end}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Objectives() {
  const lines = useAsked<SloLine[]>("/api/slo", Math.floor(now.value / 30_000)).value ?? [];
  if (!lines.length) return null;
  return (
    <Section title={T.alerts.objectives}>
      <table class="plain">
        <thead><tr><th scope="col">{T.alerts.service}</th><th scope="col" class="num">{T.alerts.objective}</th><th scope="col" class="num">{T.alerts.left}</th><th scope="col" class="num">{T.alerts.burn}</th></tr></thead>
        <tbody>{lines.map((one) => <tr key={one.service_id}><td><a href={`#${serviceAt(one.service_id)}`}>{one.service_name}</a></td><td class="num">{percent(one.objective_percent)}, {span(one.period_days * 86_400)}</td><td class={one.budget_left_percent <= 0 ? "num st-Unhealthy b" : "num"}>{percent(one.budget_left_percent)}</td><td class={one.burning ? "num st-Unhealthy" : "num soft"}>{one.burning ?? T.none}</td></tr>)}</tbody>
      </table>
    </Section>
  );
}

function Heartbeats() {
  const lines = useAsked<HeartbeatLine[]>("/api/heartbeats", Math.floor(now.value / 10_000)).value ?? [];
  if (!lines.length) return null;
  return (
    <Section title={T.alerts.heartbeats}>
      <table class="plain">
        <thead><tr><th scope="col">{T.alerts.service}</th><th scope="col">{T.alerts.result}</th><th scope="col" class="num">{T.alerts.ranLast}</th><th scope="col" class="num">{T.alerts.due}</th></tr></thead>
        <tbody>{lines.map((one) => <tr key={one.service_id}><td><a href={`#${serviceAt(one.service_id)}`}>{one.service_name}</a></td><td>{one.state}</td><td class="num"><Age at={one.last_ended} /></td><td class="num" title={exact(one.due)}>{exact(one.due).slice(5, 16)}</td></tr>)}</tbody>
      </table>
    </Section>
  );
}

function Windows({ windows, again }: { windows: WindowLine[]; again: () => void }) {
  return (
    <Section title={T.alerts.maintenance}>
      {!windows.length ? <p class="soft small">{T.alerts.noWindow}</p> : (
        <table class="plain">
          <thead><tr><th scope="col">{T.alerts.window}</th><th scope="col">{T.alerts.what}</th><th scope="col">{T.alerts.when}</th><th scope="col" class="num">{T.alerts.next}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>
            {windows.map(({ window, is_active }) => (
              <tr key={window.name}>
                <td class="name">{window.name}</td><td>{window.services.join(", ") || T.alerts.allServices}</td>
                <td>{window.begins ? `${exact(window.begins).slice(0, 16)} – ${exact(window.ends).slice(0, 16)}` : `${window.from_time ?? ""} – ${window.to_time ?? ""}, ${window.zone}`}</td>
                <td class="num">{is_active ? T.alerts.active : T.none}</td>
                <td class="acts">{window.id && <button class="btn s" onClick={() => change(`/api/maintenance/${encodeURIComponent(window.id)}`, "DELETE", again)}>{T.alerts.cancelWindow}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Receiver({ one }: { one: ReceiverLine }) {
  const [answer, say] = useState("");
  const test = () => {
    say(T.alerts.sending);
    ask<{ success: boolean; answer: string }>(`/api/receivers/${encodeURIComponent(one.name)}/test`, "POST")
      .then((result) => say((result.success ? T.alerts.arrived : T.alerts.failed)(result.answer)))
      .catch((error: unknown) => say(askForKey(error, test) ? "" : wordsOf(error)));
  };
  const isUsed = one.sent + one.refused + one.waiting > 0;
  return (
    <tr>
      <td><Mark status={one.is_failing ? "Unhealthy" : isUsed ? "Healthy" : "Unknown"} isNamed /></td>
      <td class="name">{one.name}</td><td>{one.kind}</td>
      <td class="why" role="status">{answer || (isUsed ? T.alerts.sent(one.sent, one.refused, one.waiting) : T.alerts.neverUsed)}</td>
      <td class="acts"><button class="btn s" onClick={test}>{T.alerts.test}</button></td>
    </tr>
  );
}

function Receivers({ receivers }: { receivers: ReceiverLine[] }) {
  return (
    <Section title={T.alerts.receivers}>
      {!receivers.length ? <p class="soft small">{T.alerts.noReceivers}</p> : (
        <table class="plain">
          <thead><tr><th scope="col"><span class="unseen">{T.incidents.status}</span></th><th scope="col">{T.alerts.name}</th><th scope="col">{T.alerts.kind}</th><th scope="col">{T.alerts.last}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>{receivers.map((one) => <Receiver key={one.name} one={one} />)}</tbody>
        </table>
      )}
    </Section>
  );
}

function Deliveries({ deliveries }: { deliveries: DeliveryLine[] }) {
  const [which, choose] = useState<"all" | "failed">("all");
  const shown = deliveries.filter((one) => which === "all" || one.state === "refused").slice(0, 40);
  return (
    <Section title={T.alerts.deliveries} aside={<Choice label={T.alerts.which} value={which} values={[["all", T.alerts.all], ["failed", T.alerts.onlyFailed]]} onChoose={choose} />}>
      {!shown.length ? <p class="soft small">{T.alerts.noDelivery}</p> : (
        <div class="scrolled" tabIndex={0} role="group" aria-label={T.alerts.deliveries}>
          <table class="plain">
            <thead><tr><th scope="col">{T.alerts.when}</th><th scope="col">{T.alerts.receiver}</th><th scope="col">{T.alerts.event}</th><th scope="col">{T.alerts.service}</th><th scope="col">{T.alerts.result}</th><th scope="col" class="num">{T.alerts.took}</th></tr></thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.id} title={one.message}>
                  <td class="soft"><Age at={one.created} /></td><td>{one.receiver}</td><td>{one.event_type}</td><td>{one.service_id ? (services.value.get(one.service_id)?.name ?? one.service_id) : T.none}</td>
                  <td class={one.state === "refused" ? "st-Unhealthy b" : ""}>{T.alerts.states[one.state] ?? one.state}{one.tries > 1 && T.alerts.tries(one.tries)}{one.state !== "sent" && one.answer && `: ${one.answer}`}</td>
                  <td class="num">{one.finished ? took(Date.parse(one.finished) - Date.parse(one.created)) : T.none}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

export function AlertsPage() {
  const tick = Math.floor(now.value / 5000);
  const alerts = useAsked<AlertLine[]>("/api/alerts", tick);
  const silences = useAsked<Silence[]>("/api/silences", `${tick} ${wantsSilence.value}`);
  const receivers = useAsked<ReceiverLine[]>("/api/receivers", tick).value ?? [];
  const deliveries = useAsked<DeliveryLine[]>("/api/deliveries?limit=100", tick).value ?? [];
  const windows = useAsked<WindowLine[]>("/api/maintenance", `${tick} ${isPlanning.value}`);
  const again = () => (alerts.again(), silences.again());
  const ways = <><button class="btn" onClick={() => (wantsSilence.value = "*")}>{T.alerts.newSilence}</button><button class="btn" onClick={() => (isPlanning.value = true)}>{T.alerts.plan}</button></>;
  if (!alerts.value) return <><Say head={alerts.error ? T.failed.title(T.nav.alerts) : T.alerts.looking} rest={alerts.error} /></>;
  const [head, rest] = sentence(alerts.value, deliveries, receivers.length > 0);
  return (
    <>
      <Say head={head} rest={rest}>{ways}</Say>
      <Failed what={T.nav.alerts} error={alerts.error} again={alerts.again} />
      <Firing alerts={alerts.value} again={again} />
      <div class="cols half">
        <div><Silences silences={silences.value ?? []} again={again} /><Windows windows={windows.value ?? []} again={windows.again} /><Heartbeats /><Receivers receivers={receivers} /></div>
        <div><Deliveries deliveries={deliveries} /><Objectives /></div>
      </div>
    </>
  );
}
