import "uplot/dist/uPlot.min.css";
import "../../src/fks_master/api/static/tokens.css";
import "./app.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { ask } from "./api";
import { connect, fillAll, isStale, remember, services } from "./feed";
import { Frame } from "./frame";
import { listen } from "./keys";
import type { Event, Recent } from "./model";
import { ActivityPage } from "./pages/activity";
import { AlertsPage } from "./pages/alerts";
import { IncidentPage, IncidentsPage } from "./pages/incidents";
import { JobsPage } from "./pages/jobs";
import { MapPage } from "./pages/map";
import { Overview } from "./pages/overview";
import { Pieces } from "./pages/pieces";
import { ServicePage } from "./pages/service";
import { Wall } from "./pages/wall";
import { page } from "./router";
import { showTheme } from "./theme";
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
    case "ui": return <Pieces sample={services.value.values().next().value} />;
    default: return <Overview />;
  }
}

function App() {
  if (page()[0] === "wall") return <Wall />;
  return <Frame><Page /></Frame>;
}

effect(() => {
  const isOld = isStale.value;
  document.title = title(services.value, isOld);
  document.documentElement.toggleAttribute("data-stale", isOld && services.value.size > 0);
  const icon = isOld ? "unknown" : worstOf(services.value).toLowerCase();
  document.querySelector<HTMLLinkElement>("#icon")?.setAttribute("href", `/static/icon-${icon}.svg`);
});

showTheme();
listen();
connect();
render(<App />, document.getElementById("app") as HTMLElement);
ask<Recent>("/api/history/recent?checks=50").then(fillAll).catch(() => undefined);
ask<{ events: Event[] }>("/api/events?limit=50").then((answer) => remember(answer.events)).catch(() => undefined);
