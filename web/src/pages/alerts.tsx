// Alerts: what fires, who was told, what is silenced, and whether messages arrive.
import { isPlanning, wantsSilence } from "../dialogs";
import { now, services } from "../feed";
import type { AlertLine, DeliveryLine, HeartbeatLine, ReceiverLine, SloLine } from "../model";
import { serviceAt } from "../router";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { Age, Flag, Mark } from "../ui/marks";
import { Failed, Say, Section } from "../ui/pieces";
import { clock, exact, percent, span } from "../words";
import { change } from "./change";
import { Silences, Windows } from "./quiet";
import { Deliveries, Receivers } from "./told";

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

function toldOf(one: AlertLine): string {
  if (one.muted) return T.alerts.mutedBy(one.muted);
  const told = one.told ? T.alerts.toldAt(one.receivers.join(", "), clock(one.told_at ?? one.since)) : "";
  if (one.acknowledged_by) return [told, T.alerts.hasIt(one.acknowledged_by)].filter(Boolean).join("; ");
  return told || (one.state === "firing" ? T.alerts.toNobody : T.alerts.notYet);
}

function Firing({ alerts }: { alerts: AlertLine[] }) {
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
                {!one.acknowledged_by && <button class="btn s" onClick={() => change(`/api/alerts/${encodeURIComponent(one.id)}/acknowledge`, "POST")}>{T.alerts.mine}</button>}
                {one.service_id && !one.muted && <button class="btn s" onClick={() => (wantsSilence.value = one.service_id ?? "")}>{T.alerts.silence}</button>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Objectives() {
  const { value: lines, error, again } = useAsked<SloLine[]>("/api/slo", Math.floor(now.value / 30_000));
  if (!lines?.length) return <Failed what={T.alerts.objectives} error={error} again={again} />;
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
  const { value: lines, error, again } = useAsked<HeartbeatLine[]>("/api/heartbeats", Math.floor(now.value / 10_000));
  if (!lines?.length) return <Failed what={T.alerts.heartbeats} error={error} again={again} />;
  return (
    <Section title={T.alerts.heartbeats}>
      <table class="plain">
        <thead><tr><th scope="col">{T.alerts.service}</th><th scope="col">{T.alerts.result}</th><th scope="col" class="num">{T.alerts.ranLast}</th><th scope="col" class="num">{T.alerts.due}</th></tr></thead>
        <tbody>{lines.map((one) => <tr key={one.service_id}><td><a href={`#${serviceAt(one.service_id)}`}>{one.service_name}</a></td><td>{one.state}</td><td class="num"><Age at={one.last_ended} /></td><td class="num" title={exact(one.due)}>{exact(one.due).slice(5, 16)}</td></tr>)}</tbody>
      </table>
    </Section>
  );
}

export function AlertsPage() {
  const tick = Math.floor(now.value / 5000);
  const alerts = useAsked<AlertLine[]>("/api/alerts", tick);
  const receivers = useAsked<ReceiverLine[]>("/api/receivers", tick);
  const deliveries = useAsked<DeliveryLine[]>("/api/deliveries?limit=100", tick);
  const ways = <><button class="btn" onClick={() => (wantsSilence.value = "*")}>{T.alerts.newSilence}</button><button class="btn" onClick={() => (isPlanning.value = true)}>{T.alerts.plan}</button></>;
  const error = alerts.error || receivers.error || deliveries.error;
  if (!alerts.value) return <Say head={error ? T.failed.title(T.nav.alerts) : T.alerts.looking} rest={error} />;
  const isKnown = receivers.value !== null && deliveries.value !== null;
  const [head, rest] = isKnown ? sentence(alerts.value, deliveries.value ?? [], (receivers.value ?? []).length > 0) : [alerts.value.length ? `${T.alerts.firing(alerts.value.length)}.` : T.alerts.none, ""];
  return (
    <>
      <Say head={head} rest={rest}>{ways}</Say>
      <Failed what={T.nav.alerts} error={alerts.error} again={alerts.again} />
      <Firing alerts={alerts.value} />
      <div class="cols half">
        <div><Silences tick={tick} /><Windows tick={tick} /><Heartbeats /><Receivers asked={receivers} /></div>
        <div><Deliveries asked={deliveries} /><Objectives /></div>
      </div>
    </>
  );
}
