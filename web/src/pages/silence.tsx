// Mute the alerts of what a pattern names, for a time: a dialog, from wherever somebody wants it.
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey, isPlanning, wantsSilence } from "../dialogs";
import { said } from "../feed";
import { T } from "../text";
import { Dialog } from "../ui/dialog";

const SECONDS = [1800, 7200, 28800, 86400, 604800];

export function SilenceDialog() {
  return wantsSilence.value ? <Form first={wantsSilence.value} /> : null;
}

function Form({ first }: { first: string }) {
  const [pattern, setPattern] = useState(first === "*" ? "" : first);
  const [comment, setComment] = useState("");
  const [seconds, setSeconds] = useState(7200);
  const [error, setError] = useState("");
  const send = () => {
    ask("/api/silences", "POST", { matchers: { service_id: pattern }, comment, duration_seconds: seconds })
      .then(() => {
        said.value = T.silence.done(pattern);
        wantsSilence.value = "";
      })
      .catch((failure: unknown) => askForKey(failure, send) || setError(wordsOf(failure)));
  };
  return (
    <Dialog open={wantsSilence} closed="" name={T.alerts.newSilence}>
      <form class="form" data-silencing onSubmit={(event) => (event.preventDefault(), send())}>
        <h2>{T.alerts.newSilence}</h2>
        <label>{T.silence.services}<input required value={pattern} onInput={(event) => setPattern(event.currentTarget.value)} /></label>
        <label>{T.silence.duration}<select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>{SECONDS.map((value, index) => <option key={value} value={value}>{T.silence.times[index]}</option>)}</select></label>
        <label>{T.silence.why}<input value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
        {error && <p class="box u" role="alert">{error}</p>}
        <div class="end"><button type="button" class="btn" onClick={() => (wantsSilence.value = "")}>{T.silence.cancel}</button><button class="btn main">{T.silence.send}</button></div>
      </form>
    </Dialog>
  );
}

export function PlanDialog() {
  const [name, setName] = useState("");
  const [services, setServices] = useState("");
  const [begins, setBegins] = useState("");
  const [seconds, setSeconds] = useState(7200);
  const [error, setError] = useState("");
  const send = () => {
    const when = begins ? { begins: `${begins}:00Z` } : {};
    ask("/api/maintenance", "POST", { name, services: services.split(/[\s,]+/).filter(Boolean), duration_seconds: seconds, ...when })
      .then(() => {
        said.value = T.silence.planned(name);
        isPlanning.value = false;
      })
      .catch((failure: unknown) => askForKey(failure, send) || setError(wordsOf(failure)));
  };
  return (
    <Dialog open={isPlanning} closed={false} name={T.alerts.plan}>
      <form class="form" onSubmit={(event) => (event.preventDefault(), send())}>
        <h2>{T.alerts.plan}</h2>
        <label>{T.silence.window}<input required value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label>{T.jobs.serviceNames}<input placeholder={T.jobs.allPlaceholder} value={services} onInput={(event) => setServices(event.currentTarget.value)} /></label>
        <label>{T.silence.from}<input type="datetime-local" value={begins} onInput={(event) => setBegins(event.currentTarget.value)} /></label>
        <label>{T.silence.duration}<select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>{SECONDS.map((value, index) => <option key={value} value={value}>{T.silence.times[index]}</option>)}</select></label>
        {error && <p class="box u" role="alert">{error}</p>}
        <div class="end"><button type="button" class="btn" onClick={() => (isPlanning.value = false)}>{T.silence.cancel}</button><button class="btn main">{T.silence.plan}</button></div>
      </form>
    </Dialog>
  );
}
