// The numbers of charts as a table, on request.
import { useState } from "preact/hooks";
import { T } from "../text";
import type { Plot } from "./draw";

export function Numbers({ plots }: { plots: readonly Plot[] }) {
  const [isOpen, open] = useState(false);
  if (!plots.length) return null;
  return (
    <details class="numbers" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>{T.chart.table}</summary>
      {isOpen && <Figures plots={plots} />}
    </details>
  );
}

function Figures({ plots }: { plots: readonly Plot[] }) {
  const columns = plots.flatMap((plot) => plot.columns.map((column) => ({ plot, column, at: new Map(plot.times.map((time, index) => [time, column.values[index] ?? null])) })));
  const times = [...new Set(plots.flatMap((plot) => plot.times))].sort((a, b) => b - a);
  return (
      <div class="scrolled" tabIndex={0} role="group" aria-label={T.chart.table}>
        <table class="plain">
          <thead><tr><th scope="col">{T.chart.from}</th>{columns.map(({ plot, column }) => <th key={plot.name + column.label} scope="col" class="num">{plot.name} {column.label}, {plot.unit.split(",")[0]}</th>)}</tr></thead>
          <tbody>
            {times.map((time) => (
              <tr key={time}><td>{new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ")}</td>{columns.map(({ plot, column, at }) => {
                const value = at.get(time) ?? null;
                return <td key={plot.name + column.label} class="num">{value === null ? T.none : plot.show(value)}</td>;
              })}</tr>
            ))}
          </tbody>
        </table>
      </div>
  );
}
