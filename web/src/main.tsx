import "uplot/dist/uPlot.min.css";
import "../../src/fks_master/api/static/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/fleet.css";
import "./styles/pages.css";
import "./styles/wall.css";
import "./styles/widths.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { ask, keyTurn } from "./api";
import { watchCounts } from "./counts";
import { connect, fillAll, isLocked, isOpen, isStale, remember, services, watchTime } from "./feed";
import { Frame, MorePage } from "./frame";
import { listen } from "./keys";
import type { Event, Recent } from "./model";
import { watchIncidents } from "./notices";
import { ActivityPage } from "./pages/activity";
import { AlertsPage } from "./pages/alerts";
import { IncidentPage, IncidentsPage } from "./pages/incidents";
import { JobsPage } from "./pages/jobs";
import { MapPage } from "./pages/map";
import { Overview } from "./pages/overview";
import { Pieces } from "./pages/pieces";
import { ServicePage } from "./pages/service";
import { Wall } from "./pages/wall";
import { page, watchPlace } from "./router";
import { showTheme, watchTheme } from "./theme";
import { title, worstOf } from "./words";

function Page() {
  const [name, argument] = page();
  switch (name) {
    case "service": return <ServicePage key={argument} id={argument} />;
    case "incidents": return <IncidentsPage />;
    case "incident": return <IncidentPage key={argument} id={argument} />;
    case "alerts": return <AlertsPage />;
    case "jobs": return <JobsPage id={argument} />;
    case "map": return <MapPage />;
    case "activity": return <ActivityPage />;
    case "more": return <MorePage />;
    case "ui": return <Pieces />;
    default: return <Overview />;
  }
}

function App() {
  return page()[0] === "wall" && !isLocked.value ? <Wall /> : <Frame><Page /></Frame>;
}

effect(() => {
  const isOld = isStale.value;
  document.title = title(services.value, isOld);
  document.documentElement.toggleAttribute("data-stale", isOld && services.value.size > 0);
  const icon = isOld ? "unknown" : worstOf(services.value).toLowerCase();
  document.querySelector<HTMLLinkElement>("#icon")?.setAttribute("href", `/static/icon-${icon}.svg`);
});

/** What was before: asked whenever the connection begins anew, so that bars and events have no gap. */
effect(() => {
  if (!isOpen.value || keyTurn.value < 0) return;
  ask<Recent>("/api/history/recent?checks=50").then(fillAll).catch(() => undefined);
  ask<{ events: Event[] }>("/api/events?limit=100").then((answer) => remember(answer.events)).catch(() => undefined);
});

showTheme();
watchTheme();
listen();
watchCounts();
watchIncidents();
watchTime();
watchPlace();
connect();
render(<App />, document.getElementById("app") as HTMLElement);
