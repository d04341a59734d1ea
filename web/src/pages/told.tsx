// Whom the monitor tells, and whether it arrived.
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey } from "../dialogs";
import { services } from "../feed";
import type { DeliveryLine, ReceiverLine } from "../model";
import { T } from "../text";
import type { Asked } from "../ui/asked";
import { Age, Mark } from "../ui/marks";
import { Answered, Choice, Section } from "../ui/pieces";
import { took } from "../words";

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

export function Receivers({ asked }: { asked: Asked<ReceiverLine[]> }) {
  return (
    <Section title={T.alerts.receivers}>
      <Answered asked={asked} what={T.alerts.receivers}>{(receivers) => !receivers.length ? <p class="soft small">{T.alerts.noReceivers}</p> : (
        <table class="plain">
          <thead><tr><th scope="col"><span class="unseen">{T.incidents.status}</span></th><th scope="col">{T.alerts.name}</th><th scope="col">{T.alerts.kind}</th><th scope="col">{T.alerts.last}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>{receivers.map((one) => <Receiver key={one.name} one={one} />)}</tbody>
        </table>
      )}</Answered>
    </Section>
  );
}

export function Deliveries({ asked }: { asked: Asked<DeliveryLine[]> }) {
  const [which, choose] = useState<"all" | "failed">("all");
  const shown = (asked.value ?? []).filter((one) => which === "all" || one.state === "refused").slice(0, 40);
  return (
    <Section title={T.alerts.deliveries} aside={<Choice label={T.alerts.which} value={which} values={[["all", T.alerts.all], ["failed", T.alerts.onlyFailed]]} onChoose={choose} />}>
      <Answered asked={asked} what={T.alerts.deliveries}>{() => !shown.length ? <p class="soft small">{which === "failed" ? T.alerts.noFailed : T.alerts.noDelivery}</p> : (
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
      )}</Answered>
    </Section>
  );
}
