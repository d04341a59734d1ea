// Every piece of the design on one page, in every state, to be looked at.
import { services } from "../feed";
import type { Service, Status } from "../model";
import { T } from "../text";
import { turnTheme } from "../theme";
import { Beats, Flag, Mark, Sign, Spark } from "../ui/marks";
import { Choice, Failed, Menu, Say, Search, Section, Tick } from "../ui/pieces";
import { pieces } from "../ui/ansi";
import { Keys } from "./dialogs";
import { Table } from "./table";

const STATUSES: Status[] = ["Healthy", "Unknown", "Degraded", "Unhealthy"];
const COLOURS = ["bg", "surface", "sunken", "raised", "line", "line-strong", "control", "text", "soft", "faint", "accent", "accent-tint", "healthy", "healthy-mark", "healthy-quiet", "degraded", "degraded-mark", "degraded-tint", "unhealthy", "unhealthy-mark", "unhealthy-tint", "unknown", "unknown-mark", "unknown-tint"];
const SIZES = [28, 20, 16, 14, 13, 12, 11];
const STATES = ["running", "succeeded", "failed", "cancelled", "waiting"];
const COLOURED = "\u001b[31mred \u001b[32mgreen \u001b[33myellow \u001b[34mblue \u001b[35mmagenta \u001b[36mcyan \u001b[0m\u001b[2mdim\u001b[0m plain";
const BUTTONS = ["main", "", "quiet", "hurt", "hurt fill"];

const nothing = (): void => undefined;

function Statuses() {
  return (
    <Section title={T.incidents.status}>
      {STATUSES.map((status) => <div key={status} class="piece"><span class="cap">{T.status[status]}</span><Mark status={status} /><Mark status={status} size="l" /><Mark status={status} size="xl" /><span class={`tint ${status} st-${status}`}>{T.status[status]}</span></div>)}
      <div class="piece" data-stale="">{STATUSES.map((status) => <Mark key={status} status={status} size="l" />)}</div>
      <div class="piece"><span class="cap">{T.critical}</span><Flag /></div>
    </Section>
  );
}

function Controls() {
  return (
    <>
      <Section title={T.overview.actions}>
        {BUTTONS.map((kind) => <div key={kind} class="piece"><button class={`btn ${kind}`}>{T.act.check}</button><button class={`btn ${kind} is-hover`}>{T.act.check}</button><button class={`btn ${kind} is-focus`}>{T.act.check}</button><button class={`btn ${kind}`} disabled>{T.act.check}</button><button class={`btn ${kind} s`}>{T.act.check}</button></div>)}
        <div class="piece"><span class="btn" aria-disabled="true"><Sign state="running" share={0.4} /> {T.act.working(T.act.doing["restart"] ?? "", 4)}</span><Menu label={T.act.more} name={T.act.more} entries={[{ text: T.act.open, key: "Enter", run: nothing }, { text: T.act.verbs["stop"] ?? "", isHurting: true, run: nothing }]} /></div>
      </Section>
      <Section title={T.jobs.create}>
        <div class="piece"><Search label={T.bar.search} placeholder={T.bar.search} value="" onInput={nothing}><kbd>/</kbd></Search></div>
        <div class="piece"><Tick label={T.logs.follow} isOn onChange={nothing} /><Tick label={T.logs.wrap} isOn={false} onChange={nothing} /><Choice label={T.chart.range} value="1h" values={[["1h", "1 h"], ["6h", "6 h"], ["24h", "24 h"]]} onChoose={nothing} /></div>
        <div class="piece"><label class="pick">{T.overview.group}<select><option>{T.overview.any}</option></select></label><kbd>/</kbd><kbd>j</kbd><kbd>k</kbd><kbd>Ctrl K</kbd></div>
      </Section>
    </>
  );
}

function Words() {
  return (
    <>
      <Section title={T.product}>{SIZES.map((size) => <div key={size} class="piece"><span class="cap">{size}</span><span class={`size-${size}`}>{T.ui.head}</span></div>)}</Section>
      <Section title={T.logs.title}>
        <div class="term out"><div class="l">{pieces(COLOURED).map((piece, index) => <span key={index} class={piece.style}>{piece.text}</span>)} <mark>{T.logs.hits(1)}</mark> <mark class="cur">{T.logs.hits(1)}</mark></div></div>
        <div class="piece">{STATES.map((state) => <span key={state}><Sign state={state} /> {T.jobs.states[state] ?? state}</span>)}</div>
      </Section>
    </>
  );
}

function Notices({ one }: { one: Service | undefined }) {
  return (
    <>
      <Section title={T.banner.now}>
        <div class="banner"><span><b>{T.banner.lost("47 s")}</b> {T.banner.from("03:18:22")}</span><button class="btn s">{T.banner.now}</button></div>
        <p class="box k">{T.service.dockerSilent}</p>
        <Failed what={T.chart.answer} error="disk full" again={nothing} />
        <p class="none">{T.overview.noMatch("engin3")} <button class="link">{T.overview.clear}</button></p>
      </Section>
      <Section title={T.act.verbs["restart"] ?? ""}>
        <div class="ask"><span><b>{T.act.asks(T.act.verbs["restart"] ?? "", one?.name ?? "")}</b> {T.act.nobody}</span><span class="e"><button class="btn main">{T.act.verbs["restart"]}</button><button class="btn">{T.act.cancel}</button></span></div>
        <div class="story"><b>{T.act.head(T.act.verbs["restart"] ?? "", "ops", "12 s")}</b><span class="st">{T.act.requested}</span><span class="st">{T.act.died("0.8 s")}</span><span class="st">{T.act.started("1.1 s")}</span><span class="st well">{T.act.healthy("4.2 s")}</span></div>
        <div class="story"><b>{T.act.head(T.act.verbs["restart"] ?? "", "ops", "2 min")}</b><span class="st">{T.act.requested}</span><span class="st bad">{T.act.failed("exited 137")}</span><button class="btn quiet s x">{T.act.dismiss}</button></div>
      </Section>
    </>
  );
}

export function Pieces() {
  const one = services.value.values().next().value;
  return (
    <>
      <Say head={T.ui.head} rest={T.ui.rest}><button class="btn" onClick={turnTheme}>{T.bar.theme}</button></Say>
      <div class="ui">
        <Statuses />
        <Section title={T.overview.beats(50)}>{one && <><div class="piece"><Beats one={one} /></div><div class="piece"><Spark one={one} /></div></>}<p class="legend">{T.overview.legend}</p></Section>
        <Words />
        <Controls />
        <Notices one={one} />
        <Section title={T.bar.theme}><div class="sw">{COLOURS.map((name) => <div key={name}><i style={{ background: `var(--${name})` }} />{name}</div>)}</div></Section>
        <Section title={T.help.title}><Keys /></Section>
        <div class="wide">{one && <Section title={T.overview.services}><Table shown={[...services.value.values()].slice(0, 4)} /></Section>}</div>
      </div>
    </>
  );
}
