// What stands around every page: the bar, the ways, the banner over old data, the dialogs.
import type { ComponentChildren } from "preact";
import { key } from "./api";
import { firing, openIncidents, runningJobs, warnings } from "./counts";
import { failure, isHelpOpen, isKeyOpen, isPaletteOpen } from "./dialogs";
import { heard, isLocked, isOpen, isStale, lostAt, nextTry, now, reconnect, said, services, tries } from "./feed";
import { Dialogs } from "./pages/dialogs";
import { PAGES } from "./pages/palette";
import { go, page, query, setQuery } from "./router";
import { T } from "./text";
import { turnTheme } from "./theme";
import { Mark } from "./ui/marks";
import { Say, Search } from "./ui/pieces";
import { clock, counted, minute, span, worstOf } from "./words";

const PLACES: Record<string, string> = { service: "", incident: "incidents", job: "jobs" };
const ON_PHONES = ["", "incidents", "alerts", "jobs"];
const BELOW = ["map", "activity", "wall", "ui"];

function Banner() {
  if (!isStale.value || !heard.value) return null;
  const from = isOpen.value ? heard.value : lostAt.value || heard.value;
  const old = span((now.value - from) / 1000);
  return (
    <div class="banner" role="alert">
      <span><b>{isOpen.value ? T.banner.old(old) : T.banner.lost(old)}</b> {T.banner.from(clock(heard.value))} {!isOpen.value && T.banner.again(Math.ceil((nextTry.value - now.value) / 1000), tries.value)}</span>
      <button class="btn s" onClick={reconnect}>{T.banner.now}</button>
    </div>
  );
}

function Overall() {
  const isOld = isStale.value;
  const worst = isOld ? "Unknown" : worstOf(services.value);
  const count = counted(services.value)[worst];
  const text = isOld ? T.bar.unknown : worst === "Healthy" ? T.bar.healthy(count) : T.bar.count(count, worst);
  return <a class={`overall st-${worst}`} href="#"><Mark status={worst} /> {text}</a>;
}

function Bar() {
  const isOld = isStale.value;
  return (
    <header class="top">
      <a class="brand" href="#">{T.product}</a>
      <Overall />
      <span class="find"><Search id="search" label={T.bar.search} placeholder={T.bar.search} shortcut="/" value={query.value["q"] ?? ""} onInput={(text) => {
        if (page()[0]) go("");
        setQuery("q", text);
      }}><kbd aria-hidden="true">/</kbd></Search></span>
      <span class="right">
        <span id="age" class={isOld ? "b" : ""}>{isOld ? T.bar.lost : T.bar.live(span((now.value - heard.value) / 1000))}</span>
        <span class="clock">{minute(now.value)} {T.utc}</span>
        <button class="btn quiet s hide" onClick={() => (isPaletteOpen.value = true)} aria-keyshortcuts="Control+K"><span class="unseen">{T.bar.find} </span><kbd>Ctrl K</kbd></button>
        <button class="btn quiet s hide" onClick={turnTheme}>{T.bar.theme}</button>
        <button class="btn quiet s hide" onClick={() => (isKeyOpen.value = true)}>{T.bar.key}</button>
        <button class="btn quiet s hide" onClick={() => (isHelpOpen.value = true)}><span class="unseen">{T.help.title} </span><kbd>?</kbd></button>
      </span>
    </header>
  );
}

const countOf = (where: string): number => ({ "": services.value.size, incidents: openIncidents.value.length, alerts: firing.value.length, jobs: runningJobs.value })[where] ?? 0;

function Ways({ here }: { here: string }) {
  return (
    <nav class="nav" aria-label={T.nav.label}>
      {PAGES.map(([where, name]) => <a key={where} href={`#${where}`} aria-current={where === here ? "page" : undefined}>{name}{countOf(where) > 0 && <span class="n">{countOf(where).toLocaleString("en")}</span>}</a>)}
    </nav>
  );
}

function Below({ here }: { here: string }) {
  return (
    <nav class="botnav" aria-label={T.nav.more}>
      {PAGES.filter(([where]) => ON_PHONES.includes(where)).map(([where, name]) => <a key={where} href={`#${where}`} aria-current={where === here ? "page" : undefined}>{name}</a>)}
      <a href="#more" aria-current={here === "more" || BELOW.includes(here) ? "page" : undefined}>{T.nav.more}</a>
    </nav>
  );
}

/** What does not fit below, on a phone. */
export function MorePage() {
  return (
    <>
      <Say head={T.nav.more} />
      <ul class="more">
        {PAGES.filter(([where]) => !ON_PHONES.includes(where)).map(([where, name]) => <li key={where}><a class="btn" href={`#${where}`}>{name}</a></li>)}
        <li><button class="btn" onClick={() => (isPaletteOpen.value = true)}>{T.bar.find}</button></li>
        <li><button class="btn" onClick={turnTheme}>{T.bar.theme}</button></li>
        <li><button class="btn" onClick={() => (isKeyOpen.value = true)}>{T.bar.key}</button></li>
        <li><button class="btn" onClick={() => (isHelpOpen.value = true)}>{T.help.title}</button></li>
      </ul>
    </>
  );
}

function Locked() {
  return <Say head={key.get() ? T.key.wrong : T.locked.head} rest={T.locked.rest}><button class="btn main" onClick={() => (isKeyOpen.value = true)}>{T.locked.enter}</button></Say>;
}

export function Frame({ children }: { children: ComponentChildren }) {
  const [name] = page();
  const here = PLACES[name] ?? name;
  return (
    <div class="app">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>{T.nav.skip}</a>
      <Bar />
      <Banner />
      <Ways here={here} />
      <main id="main" tabIndex={-1}>
        {warnings.value.map((text) => <p key={text} class="notice" role="note"><Mark status="Degraded" /> {text}</p>)}
        {failure.value && <p class="box u refused" role="alert"><span>{failure.value}</span> <button class="btn quiet s" onClick={() => (failure.value = "")}>{T.act.dismiss}</button></p>}
        {isLocked.value ? <Locked /> : children}
      </main>
      <Below here={here} />
      <p class="unseen" role="status" aria-live="polite">{said.value}</p>
      <Dialogs />
    </div>
  );
}
