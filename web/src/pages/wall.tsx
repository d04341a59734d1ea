// For a screen on the wall: large, without chrome, five lines at most, then pages every 15 s.
import { isStale, now, services } from "../feed";
import { Mark } from "../ui/pieces";
import { age, clock, reason, sentence, worstFirst, worstOf } from "../words";

const LINES = 5;
const PAGE_MS = 15_000;

export function Wall() {
  const bad = [...services.value.values()].filter((one) => one.status !== "Healthy").sort(worstFirst);
  const pages = Math.max(1, Math.ceil(bad.length / LINES));
  const page = Math.floor(now.value / PAGE_MS) % pages;
  const [head] = sentence(services.value, !isStale.value, now.value);
  return (
    <main class="wall" id="main">
      <h1 id="sentence"><Mark status={worstOf(services.value)} isNamed /> {bad.length ? `${bad.length} of ${services.value.size} need a look` : head}</h1>
      <ul>
        {bad.slice(page * LINES, page * LINES + LINES).map((one) => (
          <li key={one.id} class={one.status}>
            <Mark status={one.status} isNamed /><b class="cut">{one.name}</b><span class="wall-age">{age(one.since, now.value)}</span><span class="why cut">{reason(one)}</span>
          </li>
        ))}
      </ul>
      <p class="soft">{pages > 1 && `page ${page + 1} of ${pages}, `}{isStale.value ? "not connected" : "live"}, {clock(now.value)} UTC</p>
    </main>
  );
}
