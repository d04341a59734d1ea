// Mute the alerts of a service, or of what a pattern names, for a time.
import { useState } from "preact/hooks";
import { ask } from "../api";
import { said } from "../feed";

const TIMES: [string, number][] = [["30 min", 1800], ["2 h", 7200], ["8 h", 28800], ["1 d", 86400], ["7 d", 604800]];

export function SilenceForm({ serviceId = "", onDone }: { serviceId?: string; onDone: () => void }) {
  const [pattern, setPattern] = useState(serviceId);
  const [comment, setComment] = useState("");
  const [seconds, setSeconds] = useState(7200);
  const [error, setError] = useState("");
  const send = (event: Event) => {
    event.preventDefault();
    ask("/api/silences", "POST", { matchers: { service_id: pattern }, comment, duration_seconds: seconds })
      .then(() => {
        said.value = `Silenced ${pattern}`;
        onDone();
      })
      .catch((failure: unknown) => setError((failure as Error).message));
  };
  return (
    <form class="form" onSubmit={send}>
      <label>Services, with * and ?<input required value={pattern} onInput={(event) => setPattern(event.currentTarget.value)} /></label>
      <label>For<select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
        {TIMES.map(([name, value]) => <option key={name} value={value}>{name}</option>)}
      </select></label>
      <label>Why<input value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
      <div class="row"><button class="filled">Silence</button><button type="button" onClick={onDone}>Leave</button></div>
      {error && <p class="why-not">{error}</p>}
    </form>
  );
}
