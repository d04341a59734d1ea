// Charts on one time axis with one cursor: ink only; colour is an incident or an action. What was not seen is hatched.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { T } from "../text";
import { themeTurn } from "../theme";
import { clock } from "../words";
import { above, colour, fontOf, ground, isLimited, tint, type Around, type Live, type Plot } from "./draw";
import { ticksTo, topOf, type Values } from "./scale";

export type { Around, Plot };

const LEFT = 44;
const HEAD = 32; // actions above, incidents below
const GAP = 8;
const LOW = 80;
const FOOT = 22;
const [SIDE, ROOM, NARROW] = [8, 60, 500]; // at the right, with the name of a limit where there is room

function stacked(columns: Plot["columns"]): Values[] {
  let below: number[] = [];
  return columns.map(({ values }) => {
    const sums = values.map((value, index) => (value === null ? null : value + (below[index] ?? 0)));
    below = sums.map((value) => value ?? 0);
    return sums;
  });
}

const dataOf = ({ kind, times, columns }: Plot): uPlot.AlignedData => [times, ...(kind === "stack" ? stacked(columns).reverse() : columns.map((one) => one.values))];

function seriesOf({ kind, columns, times }: Plot): uPlot.Series[] {
  const points = { show: times.length < 4, size: 4, fill: colour("--text") };
  if (kind === "stack") return columns.map((_, index) => ({ stroke: colour("--text"), width: 0.5, fill: tint(0.1 + index * 0.09), points }));
  return columns.map((one, index) => ({
    stroke: kind === "band" && index === 1 ? "transparent" : colour(one.isFaint ? "--faint" : "--text"), width: one.isFaint ? 1 : 1.25, points: { ...points, show: points.show && !(kind === "band" && index === 1) },
  }));
}

function highest(plot: uPlot): number {
  let most = 0;
  for (const column of plot.data.slice(1)) for (const value of column) if (typeof value === "number" && value > most) most = value;
  return most;
}

function optionsOf(live: { current: Live }, width: number, isLast: boolean, key: string, onCursor: (plot: uPlot) => void): uPlot.Options {
  const { plot, isFirst } = live.current;
  const ticks = (self: uPlot): number[] => ticksTo(topOf(highest(self), live.current.plot.limit?.value ?? null), plot.high < LOW ? 2 : 3);
  const axis = { stroke: colour("--faint"), font: fontOf(11), ticks: { show: false } };
  return {
    width,
    height: plot.high + (isFirst ? HEAD : GAP) + (isLast ? FOOT : GAP),
    padding: [isFirst ? HEAD : GAP, (self) => (live.current.isRoomy && self.width >= NARROW ? ROOM : SIDE), isLast ? 0 : GAP, 0],
    legend: { show: false },
    cursor: { sync: { key }, y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
    scales: { x: { range: () => [live.current.around.since, live.current.around.until] }, y: { range: (self) => [0, ticks(self).at(-1) ?? 1] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [
      { ...axis, show: isLast, size: FOOT, gap: 6, space: 70, grid: { show: false }, values: (self, at) => at.map((tick) => moment(self, tick)) },
      { ...axis, size: LEFT, gap: 6, splits: ticks, grid: { stroke: colour("--line"), width: 1 }, values: (_, at) => at.map((tick) => plot.show(tick)) },
    ],
    series: [{}, ...seriesOf(plot)],
    bands: plot.kind === "band" ? [{ series: [2, 1], fill: tint(0.11) }] : [],
    hooks: {
      drawClear: [(self) => ground(self, live.current)],
      draw: [(self) => above(self, live.current)],
      setCursor: [onCursor],
      setSelect: [(self) => self.select.width > 4 && live.current.around.onZoom(self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x"))],
    },
  };
}

/** UTC, like everything else on the page: the time within two days, else the date. */
function moment(plot: uPlot, tick: number): string {
  const [from = 0, until = 0] = [plot.scales["x"]?.min, plot.scales["x"]?.max];
  const text = new Date(tick * 1000).toISOString();
  return until - from > 172_800 ? text.slice(5, 10) : text.slice(11, until - from < 600 ? 19 : 16);
}

let keys = 0;

function Row({ plot, around, isFirst, isRoomy, isLast, sync }: Live & { isLast: boolean; sync: string }) {
  const box = useRef<HTMLDivElement>(null);
  const values = useRef<HTMLSpanElement>(null);
  const time = useRef<HTMLSpanElement>(null);
  const chart = useRef<uPlot | null>(null);
  const live = useRef<Live>({ plot, around, isFirst, isRoomy });
  live.current = { plot, around, isFirst, isRoomy };
  const onCursor = (self: uPlot) => {
    const { plot: shown } = live.current;
    const at = self.cursor.idx ?? null;
    const index = at ?? shown.times.length - 1;
    if (values.current) values.current.textContent = readAt(shown, index);
    if (!time.current) return;
    const isIn = at !== null && (self.cursor.left ?? -1) >= 0;
    time.current.hidden = !isIn;
    if (!isIn) return;
    time.current.textContent = clock((shown.times[index] ?? 0) * 1000);
    time.current.style.left = `${(self.cursor.left ?? 0) + LEFT}px`;
  };
  useEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const made = new uPlot(optionsOf(live, node.clientWidth, isLast, sync, onCursor), dataOf(plot), node);
    chart.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height: made.height }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [themeTurn.value, plot.kind, plot.columns.length, plot.high, isLast, isFirst]);
  useEffect(() => chart.current?.setData(dataOf(plot)), [plot.times, isRoomy, around.since, around.until, around.gaps, around.incidents.length, around.actions.length]);
  return (
    <div class={`plot${isFirst ? " first" : ""}`}>
      <div class="ti"><b>{plot.name}</b> <small>{plot.unit}</small><span class="now" ref={values}>{readAt(plot, plot.times.length - 1)}</span></div>
      <div class="canvas" ref={box} role="img" aria-label={T.chart.label(plot.name)} onDblClick={around.onBack}>{isLast && <span class="at" ref={time} hidden />}</div>
    </div>
  );
}

/** The figures at a point, in the order of the columns; a dash where nothing was measured. */
export function readAt({ columns, kind, show }: Plot, index: number): string {
  const each = columns.map(({ values }) => values[index] ?? null);
  if (each.every((value) => value === null)) return T.none;
  const shown = each.map((value) => (value === null ? T.none : show(value)));
  return kind === "stack" ? columns.map((one, at) => `${one.label} ${shown[at] ?? ""}`).join("\n") : shown.join(" – ");
}

export function Stack({ plots, around }: { plots: readonly Plot[]; around: Around }) {
  const sync = useRef(`stack-${keys++}`);
  const isRoomy = plots.some(isLimited);
  return (
    <div class="stack">
      {plots.map((plot, index) => <Row key={plot.name + plot.kind} plot={plot} around={around} isFirst={index === 0} isRoomy={isRoomy} isLast={index === plots.length - 1} sync={sync.current} />)}
    </div>
  );
}
