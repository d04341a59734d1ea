// What stands around every page: the bar, the ways, the banner over old data.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ask } from "./api";
import { isHelpOpen, isKeyOpen, isPaletteOpen } from "./dialogs";
import { heard, isOpen, isStale, now, said, services } from "./feed";
import { page, query, setQuery } from "./router";
import { turnTheme } from "./theme";
import { Dialogs, PAGES } from "./ui/dialog";
import { Mark } from "./ui/pieces";
import { clock, span, worstOf } from "./words";

const PLACES: Record<string, string> = { service: "", incident: "incidents" };

function Banner() {
  if (!isStale.value || !heard.value) return null;
  const old = span((now.value - heard.value) / 1000);
  const text = isOpen.value ? `Nothing new for ${old}. What you see is old.` : `Connection lost. What you see is ${old} old. Trying again.`;
  return <p class="banner" role="alert">{text}</p>;
}

interface Standing {
  warnings: string[];
}

const warnings = signal<string[]>([]);

/** What the owner of the monitor should know: asked at the start, and again every minute; who may not read it, is not told. */
function Warnings() {
  const minute = Math.floor(now.value / 60_000);
  useEffect(() => {
    ask<Standing>("/api/status").then((found) => (warnings.value = found.warnings)).catch(() => undefined);
  }, [minute]);
  return <>{warnings.value.map((text) => <p key={text} class="notice" role="note">▲ {text}</p>)}</>;
}

export function Frame({ children }: { children: ComponentChildren }) {
  const [name] = page();
  const here = PLACES[name] ?? name;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>Skip to the page</a>
      <header class="bar">
        <a class="brand" href="#"><Mark status={worstOf(services.value)} isNamed /> FKS Master</a>
        <label class="search"><span class="unseen">Search services</span>
          <input id="search" type="search" placeholder="Search services" autocomplete="off" spellcheck={false} aria-keyshortcuts="/" value={query.value["q"] ?? ""} onInput={(event) => {
            if (page()[0]) location.hash = "";
            setQuery("q", event.currentTarget.value);
          }} />
        </label>
        <span id="age" class="soft">{isStale.value ? "not connected" : `live, ${clock(now.value)} UTC`}</span>
        <button class="quiet" onClick={() => (isPaletteOpen.value = true)} aria-keyshortcuts="Control+K">Find</button>
        <button class="quiet" onClick={turnTheme}>Theme</button>
        <button class="quiet" onClick={() => (isKeyOpen.value = true)}>Key</button>
        <button class="quiet" onClick={() => (isHelpOpen.value = true)} aria-label="Help: keys">?</button>
      </header>
      <Banner />
      <Warnings />
      <div class="body">
        <nav aria-label="Pages">
          {PAGES.map(([where, text]) => <a key={where} href={`#${where}`} aria-current={where === here ? "page" : undefined}>{text}</a>)}
        </nav>
        <main id="main" tabIndex={-1}>{children}</main>
      </div>
      <p class="unseen" role="status" aria-live="polite">{said.value}</p>
      <Dialogs />
    </>
  );
}
