// The dialogs of the frame: the key, and the help with what is told outside the page.
import { useState } from "preact/hooks";
import { key } from "../api";
import { goOn, isHelpOpen, isKeyOpen, isPaletteOpen, isPlanning, letGo } from "../dialogs";
import { reconnect } from "../feed";
import { hasSingleKeys, setSingleKeys } from "../keys";
import { isNotifying, isSounding, refusal, setNotifying, setSounding } from "../notices";
import { T } from "../text";
import { Dialog } from "../ui/dialog";
import { Tick } from "../ui/pieces";
import { Palette } from "./palette";
import { PlanDialog, SilenceDialog } from "./silence";

function KeyDialog() {
  const [value, setValue] = useState("");
  const [isKept, keep] = useState(false);
  const use = (text: string) => {
    if (text) key.set(text, isKept);
    else key.forget();
    isKeyOpen.value = false;
    reconnect();
    if (text) goOn();
  };
  return (
    <Dialog open={isKeyOpen} closed={false} name={T.key.title} onLeave={letGo}>
      <form class="form" onSubmit={(event) => (event.preventDefault(), value.trim() && use(value.trim()))}>
        <h2>{T.key.title}</h2>
        <p class="soft">{T.key.says} {key.get() && T.key.have}</p>
        <label>{T.key.label}<input type="password" autocomplete="off" required value={value} onInput={(event) => setValue(event.currentTarget.value)} /></label>
        <Tick label={T.key.keep} isOn={isKept} onChange={keep} />
        <div class="end">
          {key.get() && <button type="button" class="btn quiet" onClick={() => use("")}>{T.key.forget}</button>}
          <button type="button" class="btn" onClick={() => (letGo(), (isKeyOpen.value = false))}>{T.key.cancel}</button>
          <button class="btn main">{T.key.use}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Keys() {
  return (
    <dl class="keys">
      {T.help.keys.map(([name, text]) => <div key={name}><dt>{text}</dt><dd>{(name.startsWith("Ctrl") ? [name] : name.split(" ")).map((each) => <kbd key={each}>{each}</kbd>)}</dd></div>)}
    </dl>
  );
}

function HelpDialog() {
  return (
    <Dialog open={isHelpOpen} closed={false} name={T.help.title} kind="help">
      <h2>{T.help.title}</h2>
      <Keys />
      <div class="ticks">
        <Tick label={T.help.singles} isOn={hasSingleKeys.value} onChange={setSingleKeys} />
        <Tick label={T.help.notify} isOn={isNotifying.value} onChange={(is) => void setNotifying(is)} />
        <Tick label={T.help.sound} isOn={isSounding.value} onChange={setSounding} />
        {refusal.value && <p class="box d" role="status">{refusal.value}</p>}
      </div>
      <div class="end"><button class="btn main" onClick={() => (isHelpOpen.value = false)}>{T.help.close}</button></div>
    </Dialog>
  );
}

export function Dialogs() {
  return (
    <>
      {isPaletteOpen.value && <Palette />}
      <SilenceDialog />
      {isPlanning.value && <PlanDialog />}
      {isHelpOpen.value && <HelpDialog />}
      {isKeyOpen.value && <KeyDialog />}
    </>
  );
}
