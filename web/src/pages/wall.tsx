// For a screen on the wall: large, without chrome, five lines at most, then pages every 15 s.
import { heard, isStale, lostAt, now, services } from "../feed";
import type { Service, Status } from "../model";
import { T } from "../text";
import { Mark } from "../ui/marks";
import { age, causeOf, clock, counted, figure, minute, reason, sentence, since, span, worstFirst } from "../words";

const LINES = 5;
const PAGE_MS = 15_000;

function Counts({ counts }: { counts: Record<Status, number> }) {
  const said: [Status, (n: number) => string][] = [["Unhealthy", T.wall.down], ["Degraded", T.wall.slow], ["Unknown", T.wall.unseen]];
  const shown = said.filter(([status]) => counts[status]);
  if (!heard.value) return <span><Mark status="Unknown" />{T.sentence.connecting}</span>;
  if (!services.value.size) return <span><Mark status="Unknown" />{T.sentence.empty}</span>;
  if (!shown.length) return <span><Mark status="Healthy" isNamed />{T.wall.well(services.value.size)}</span>;
  return <>{shown.map(([status, say]) => <span key={status}><Mark status={status} />{say(counts[status])}</span>)}</>;
}

function average(): number | null {
  const times = [...services.value.values()].flatMap((one) => (one.response_time_ms === null ? [] : [one.response_time_ms]));
  return times.length ? times.reduce((sum, one) => sum + one, 0) / times.length : null;
}

function Line({ one, isOld }: { one: Service; isOld: boolean }) {
  const cause = one.status === "Unhealthy" ? causeOf(one, services.value) : undefined;
  return (
    <div class="it">
      <Mark status={one.status} isNamed />
      <div><h2>{one.name}</h2><p>{cause ? T.reason.needs(cause.name) : reason(one)}</p></div>
      <div class="el">{isOld ? since(one.since, now.value) : age(one.since, now.value)}<small>{T.wall.since(minute(one.since))}</small></div>
    </div>
  );
}

export function Wall() {
  const isOld = isStale.value;
  const bad = [...services.value.values()].filter((one) => one.status !== "Healthy").sort(worstFirst);
  const pages = Math.max(1, Math.ceil(bad.length / LINES));
  const page = Math.floor(now.value / PAGE_MS) % pages;
  const counts = counted(services.value);
  const [head] = sentence(services.value, isOld ? lostAt.value || heard.value : null, now.value);
  return (
    <main class="wall" id="main">
      <h1 class="unseen" id="sentence">{heard.value ? head : T.sentence.connecting}</h1>
      <div class="hd"><Counts counts={counts} /><span class="clock">{minute(now.value)} {T.utc}</span></div>
      {isOld && heard.value > 0 && <p class="lost" role="alert">{T.banner.lost(span((now.value - (lostAt.value || heard.value)) / 1000))} {T.banner.from(clock(heard.value))}</p>}
      <div class="its">{bad.slice(page * LINES, page * LINES + LINES).map((one) => <Line key={one.id} one={one} isOld={isOld} />)}</div>
      <div class="ft">
        <span><Mark status="Healthy" />{T.wall.healthy(counts.Healthy, services.value.size)}</span><span>{T.wall.average(figure(average()))}</span><span class="sp" />
        <span id="age">{isOld ? T.bar.lost : T.bar.live(span((now.value - heard.value) / 1000))}</span>{pages > 1 && <span>{T.wall.page(page + 1, pages)}</span>}
        <a href="#">{T.nav.overview}</a>
      </div>
    </main>
  );
}
