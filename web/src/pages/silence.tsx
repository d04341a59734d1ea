// Mute the alerts of what a pattern names, for a time: a dialog, from wherever somebody wants it.
import { useState } from "preact/hooks";
import { ask, wordsOf } from "../api";
import { askForKey, wantsSilence } from "../dialogs";
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
