// The fleet: one sentence, the figures, and the services worst first.
import { computed, signal } from "@preact/signals";
import { openIncidents } from "../counts";
import { heard, isStale, lostAt, now, order, services } from "../feed";
import { FILTERS, shownOf } from "../fleet";
import type { Service, Status } from "../model";
import { incidentAt, query, setQueries, setQuery } from "../router";
import { T } from "../text";
import { ActButton, Asking, StoryLine } from "../ui/acting";
import { Choice, Say } from "../ui/pieces";
import { Mark } from "../ui/marks";
import { aboveFor, asking } from "../act";
import { causeOf, counted, figure, rootOf, sentence } from "../words";
import { Empty } from "./empty";
import { Grid } from "./grid";
import { Lately } from "./lately";
import { Table } from "./table";

const STATUSES: Status[] = ["Unhealthy", "Degraded", "Unknown", "Healthy"];
const VIEW = "fks-view";
const view = signal(localStorage.getItem(VIEW) ?? "table");

function chooseView(name: string): void {
  localStorage.setItem(VIEW, name);
  view.value = name;
  setQuery("view", "");
}

const counts = computed(() => counted(services.value));

function averages(): [down: number, critical: number, average: number | null] {
  let [down, critical, sum, count] = [0, 0, 0, 0];
  for (const one of services.value.values()) {
    if (one.critical) critical++;
    if (one.critical && one.status === "Unhealthy") down++;
    if (one.response_time_ms === null) continue;
    sum += one.response_time_ms;
    count++;
  }
  return [down, critical, count ? sum / count : null];
}

function Strip() {
  const chosen = query.value["status"] ?? "";
  const [down, critical, average] = averages();
  const all = [...services.value.values()];
  return (
    <div class="strip" role="group" aria-label={T.overview.filter}>
      <button class="f" aria-pressed={!chosen} onClick={() => setQuery("status", "")}>{T.overview.all} <b>{all.length}</b></button>
      {STATUSES.map((status) => (
        <button key={status} class={counts.value[status] ? "f" : "f zero"} aria-pressed={chosen === status} onClick={() => setQuery("status", status === chosen ? "" : status)}>
          <Mark status={status} /><b>{counts.value[status]}</b><span class="wd">{T.status[status]}</span>
        </button>
      ))}
      <span class="gap" />
      <span class="fig late">{T.overview.critical} <b>{T.overview.of(down, critical)}</b></span>
      <span class="fig late">{T.overview.average} <b>{figure(average)} {T.units.ms}</b></span>
      <Pick name="type" label={T.overview.type} values={all.map((one) => one.service_type)} />
      <Pick name="group" label={T.overview.group} values={all.flatMap((one) => (one.group ? [one.group] : []))} />
      <Pick name="label" label={T.overview.label} values={all.flatMap((one) => Object.entries(one.labels).map(([name, value]) => `${name}=${value}`))} />
      <Choice label={T.overview.view} value={query.value["view"] ?? view.value} values={[["table", T.overview.table], ["grid", T.overview.grid]]} onChoose={chooseView} />
    </div>
  );
}

function Pick({ name, label, values }: { name: string; label: string; values: string[] }) {
  const known = [...new Set(values)].sort();
  const chosen = query.value[name] ?? "";
  if (known.length < 2 && !chosen) return null;
  return (
    <label class="pick late">{label}
      <select value={chosen} onChange={(event) => setQuery(name, event.currentTarget.value)}>
        <option value="">{T.overview.any}</option>
        {known.map((value) => <option key={value}>{value}</option>)}
      </select>
    </label>
  );
}

function NoMatch() {
  const asked = FILTERS.map((name) => query.value[name]).filter(Boolean).join(", ");
  return <p class="none">{T.overview.noMatch(asked)} <button class="link" onClick={() => setQueries(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>{T.overview.clear}</button></p>;
}

function Head() {
  const isOld = isStale.value;
  const [head, rest] = sentence(services.value, isOld ? lostAt.value || heard.value : null, now.value);
  const root = rootOf(services.value);
  const incident = root && openIncidents.value.find((one) => one.service_id === root.id);
  const above = services.value.get(aboveFor.value);
  const isFirst = root?.is_down && root.docker_container && !causeOf(root, services.value);
  return (
    <>
      <Say head={head} rest={rest}>
        {isFirst && <ActButton one={root} action="restart" kind="main" isNamed isAbove />}
        {incident && <a class="btn link-blue" href={`#${incidentAt(incident.id)}`}>{T.overview.incident}</a>}
      </Say>
      {above && <HeadAct one={above} />}
    </>
  );
}

/** The question and the story of the one action stand below the sentence, where the row is not in sight. */
function HeadAct({ one }: { one: Service }) {
  return asking.value?.id === one.id ? <Asking one={one} /> : <StoryLine id={one.id} isWide />;
}

export function Overview() {
  if (!heard.value) return <Say head={T.sentence.connecting} />;
  if (!services.value.size) return <Empty />;
  const shown = shownOf(services.value, order.value, query.value);
  const isGrid = (query.value["view"] ?? view.value) === "grid";
  return (
    <>
      <Head />
      <Strip />
      {!shown.length ? <NoMatch /> : isGrid ? <Grid shown={shown} /> : <Table shown={shown} />}
      {shown.length <= 60 && <Lately count={8} />}
    </>
  );
}
