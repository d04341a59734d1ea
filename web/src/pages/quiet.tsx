// What is kept quiet: silences and maintenance.
import { now } from "../feed";
import type { Silence, WindowLine } from "../model";
import { T } from "../text";
import { useAsked } from "../ui/asked";
import { Answered, Section } from "../ui/pieces";
import { exact, span } from "../words";
import { change } from "./change";

export function Silences({ tick }: { tick: number }) {
  const asked = useAsked<Silence[]>("/api/silences", tick);
  return (
    <Section title={T.alerts.silences}>
      <Answered asked={asked} what={T.alerts.silences}>{(silences) => !silences.length ? <p class="soft small">{T.alerts.noSilence}</p> : (
        <table class="plain">
          <thead><tr><th scope="col">{T.alerts.what}</th><th scope="col">{T.alerts.why}</th><th scope="col">{T.alerts.by}</th><th scope="col" class="num">{T.alerts.endsIn}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>
            {silences.map((one) => (
              <tr key={one.id}>
                <td class="name">{[...Object.entries(one.matchers).map(([name, value]) => (name === "service_id" ? value : `${name} ${value}`)), ...one.where].join(", ")}</td>
                <td class="why">{one.comment || T.none}</td><td>{one.author || T.none}</td>
                <td class="num" title={exact(one.ends)}>{span((Date.parse(one.ends) - now.value) / 1000)}</td>
                <td class="acts"><button class="btn s" data-end onClick={() => change(`/api/silences/${encodeURIComponent(one.id)}`, "DELETE")}>{T.alerts.end}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}</Answered>
    </Section>
  );
}

export function Windows({ tick }: { tick: number }) {
  const asked = useAsked<WindowLine[]>("/api/maintenance", tick);
  return (
    <Section title={T.alerts.maintenance}>
      <Answered asked={asked} what={T.alerts.maintenance}>{(windows) => !windows.length ? <p class="soft small">{T.alerts.noWindow}</p> : (
        <table class="plain">
          <thead><tr><th scope="col">{T.alerts.window}</th><th scope="col">{T.alerts.what}</th><th scope="col">{T.alerts.when}</th><th scope="col" class="num">{T.alerts.next}</th><th scope="col"><span class="unseen">{T.overview.actions}</span></th></tr></thead>
          <tbody>
            {windows.map(({ window, is_active }) => (
              <tr key={window.name}>
                <td class="name">{window.name}</td><td>{window.services.join(", ") || T.alerts.allServices}</td>
                <td>{window.begins ? `${exact(window.begins).slice(0, 16)} – ${exact(window.ends).slice(0, 16)}` : `${window.from_time ?? ""} – ${window.to_time ?? ""}, ${window.zone}`}</td>
                <td class="num">{is_active ? T.alerts.active : T.none}</td>
                <td class="acts">{window.id && <button class="btn s" onClick={() => change(`/api/maintenance/${encodeURIComponent(window.id)}`, "DELETE")}>{T.alerts.cancelWindow}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}</Answered>
    </Section>
  );
}
